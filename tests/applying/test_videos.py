"""Videos made of others: every frame of it, whatever comes between."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest

from jobs.settings.kinds import Resolution
from jobs.settings.videos import VIDEOS, FormatName
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths, Workspace
from multitrain.applying import planning
from multitrain.applying.asked import Asked
from multitrain.applying.course import Course, through
from multitrain.applying.making import Networks, make_video
from multitrain.applying.planning import VideoPlan
from multitrain.applying.translator import Translator
from multitrain.engine.session import SessionSettings
from multitrain.inference.network import Device
from multitrain.weights.moments import at_step, through_time
from render.encoding.formats import FORMATS
from render.encoding.streaming import FrameSink
from render.files.film import Film
from render.files.reading import FilmReader, frames_in_order
from tests.applying.conftest import Learn
from tests.applying.test_translator import far
from tests.applying.weights import noise
from tests.footage import write_video

FRAMES, FPS = 23, Fraction(30000, 1001)
SIZE = Resolution(46, 36)


@pytest.fixture
def job(learn: Learn) -> JobFile:
    return learn(family="pix2pix").job


@pytest.fixture
def film(tmp_path: Path) -> Film:
    frames = noise(FRAMES, SIZE.height, SIZE.width, 3)
    return Film.look(write_video(tmp_path / "film.mp4", iter(frames), fps=FPS))


@pytest.fixture(autouse=True)
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five pieces of at most five frames, in blocks of five."""
    monkeypatch.setattr(planning, "PIECE_SECONDS", 5 / FPS)


def plan_for(film: Film, job: JobFile, course: Course, folder: Path) -> VideoPlan:
    return VideoPlan.of(Asked(Workspace(folder.parent), job), course, film, "ffv1", folder)


def frames_of(path: Path) -> np.ndarray:
    with FilmReader([path]) as reader:
        return np.stack(list(frames_in_order(reader)))


def made(of: VideoPlan, output: Path) -> list[int]:
    """What is told of the frames meanwhile."""
    told: list[int] = []
    networks = Networks(of.asked, Device(of.asked.job, SessionSettings()))
    network = partial(networks.following, of.course, of.size)
    make_video(of, output, "multitrain 0", network, told.append)
    return told


def test_each_frame_is_what_the_network_makes_of_it(
    job: JobFile, film: Film, paths: JobPaths, tmp_path: Path
) -> None:
    course = through(at_step(paths, "pix2pix", None), FRAMES, closed=False)
    of = plan_for(film, job, course, tmp_path / "pieces")
    assert (of.block, of.pieces.length) == (5, 5)

    told = made(of, tmp_path / "out.mov")

    assert told == [0, 5, 10, 15, 20, 23]
    out = frames_of(tmp_path / "out.mov")
    translator = Translator(of.asked, Device(job, SessionSettings()), SIZE)
    weights = translator.place(course.load(0))
    wanted = [translator.make(weights, frame[None])[0] for frame in frames_of(film.path)]
    assert far(out, np.stack(wanted)) <= 1
    assert out.std() > 1
    assert Film.look(tmp_path / "out.mov").format.fps == FPS


def test_through_time_each_frame_has_weights_of_its_own(
    job: JobFile, film: Film, paths: JobPaths, tmp_path: Path
) -> None:
    moments = through_time(paths, "pix2pix")
    of = plan_for(film, job, through(moments, FRAMES, closed=False), tmp_path / "p")
    made(of, tmp_path / "out.mov")
    out, frames = frames_of(tmp_path / "out.mov"), frames_of(film.path)
    translator = Translator(of.asked, Device(job, SessionSettings()), SIZE)
    first, _, last = (translator.place(moments.load(place)) for place in range(3))
    assert far(out[0], translator.make(first, frames[:1])[0]) <= 1
    assert far(out[-1], translator.make(last, frames[-1:])[0]) <= 1
    assert far(out[-1], translator.make(first, frames[-1:])[0]) > 1


def test_a_call_that_was_killed_is_gone_on_with(
    job: JobFile, film: Film, paths: JobPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = through(at_step(paths, "pix2pix", None), FRAMES, closed=False)
    whole, killed = tmp_path / "whole.mov", tmp_path / "killed.mov"
    made(plan_for(film, job, course, tmp_path / "a"), whole)
    again = plan_for(film, job, course, tmp_path / "b")
    write = FrameSink.write

    def dies_in_the_third_piece(sink: FrameSink, frames: np.ndarray) -> None:
        if len(again.pieces.missing()) == 3:
            raise ZeroDivisionError
        write(sink, frames)

    with monkeypatch.context() as patched:
        patched.setattr(FrameSink, "write", dies_in_the_third_piece)
        with pytest.raises(ZeroDivisionError):
            made(again, killed)
    assert not killed.exists()

    assert made(again, killed) == [10, 15, 20, 23]
    assert killed.read_bytes() == whole.read_bytes()


class Identity:
    """A network that changes nothing."""

    def made(self, first: int, pictures: np.ndarray, most: int = 1) -> np.ndarray:
        return pictures


def ramp(path: Path, pixels: str, bits: int) -> Film:
    """Two frames with every level of grey, a column each."""
    levels = np.arange(1 << bits, dtype=np.uint16)
    spread = np.round(levels * (65535 / levels[-1])).astype(np.uint16)
    deep = np.tile(spread[None, :, None], (36, 1, 3))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = len(levels), 36, pixels
        for _ in range(2):
            frame = av.VideoFrame.from_ndarray(deep, format="rgb48le")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return Film.look(path)


@pytest.mark.parametrize(
    ("name", "pixels", "bits", "left"),
    [
        ("ffv1", "gbrp10le", 10, 1024),
        ("png", "gbrp10le", 10, 1024),
        ("dpx", "gbrp10le", 10, 1024),
        ("prores", "gbrp10le", 10, 877),  # all of limited range
        ("h265-10bit", "gbrp10le", 10, 830),  # of 877
        ("h264", "gbrp10le", 10, 200),  # 8 bits, of 219
        ("ffv1", "bgr0", 8, 255),  # FFmpeg rounds 65278 of 65535 up
    ],
)
def test_a_ramp_keeps_its_levels_where_the_format_has_them(
    job: JobFile, tmp_path: Path, name: FormatName, pixels: str, bits: int, left: int
) -> None:
    film = ramp(tmp_path / "ramp.mkv", pixels, bits)
    course = Course(film.frames, (0,), lambda _: {}, "", ())
    asked = Asked(Workspace(tmp_path), job)
    plan = VideoPlan.of(asked, course, film, name, tmp_path / "pieces")
    output = tmp_path / f"out{'' if VIDEOS[name].is_folder else VIDEOS[name].suffix}"

    make_video(plan, output, "multitrain 0", Identity, lambda _: None)

    first = output / f"frame_000000000{VIDEOS[name].suffix}"
    with FilmReader([first if VIDEOS[name].is_folder else output], is_deep=True) as reader:
        shown = reader[0]
    seen = np.median(shown[..., 1].astype(int), axis=0)
    assert len(np.unique(seen)) >= left
    assert (np.diff(seen) >= 0).mean() > 0.95, "it still rises"
    if FORMATS[name].is_lossless:
        with FilmReader([film], is_deep=True) as reader:
            np.testing.assert_array_equal(shown[..., 1], reader[0][..., 1])

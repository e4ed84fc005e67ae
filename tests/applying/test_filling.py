"""Videos at a higher rate: their frames stay, and those between are made, but for cuts."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from jobs.errors import UsageError
from jobs.settings.kinds import Resolution
from jobs.workspace.paths import JobPaths, Workspace
from multitrain.applying import planning
from multitrain.applying.asked import Asked
from multitrain.applying.making import Networks, make_video
from multitrain.applying.planning import VideoPlan
from multitrain.applying.translator import Translator
from multitrain.datasets.drawn.landscapes import draw_landscape
from multitrain.engine.session import SessionSettings
from multitrain.inference.network import Device
from render.encoding.streaming import FrameSink
from render.files.film import Film
from tests.applying.conftest import Learn, Learnt
from tests.applying.test_translator import far
from tests.applying.test_videos import frames_of
from tests.footage import write_video

FPS = Fraction(30000, 1001)
SIZE = Resolution(46, 36)
FRAMES, CUT, STILL = 9, 5, 7  # the fifth begins a shot, and the seventh repeats the one before

Make = Callable[..., np.ndarray]


@pytest.fixture
def learnt(learn: Learn) -> Learnt:
    return learn(family="inbetween", features=4, blocks=1)


def pan(number: int, frames: int) -> np.ndarray:
    """Over a landscape, `(frames, height, width, 3)`."""
    picture = draw_landscape(number, 2 * SIZE.width, SIZE.height)
    return np.stack([picture[:, 2 * place : 2 * place + SIZE.width] for place in range(frames)])


@pytest.fixture
def frames() -> np.ndarray:
    """Of two shots."""
    shown = np.concatenate([pan(1, CUT), 255 - pan(3, FRAMES - CUT)])
    shown[STILL] = shown[STILL - 1]
    return shown


@pytest.fixture
def film(tmp_path: Path, frames: np.ndarray) -> Film:
    path = tmp_path / "film.mkv"
    return Film.look(write_video(path, iter(frames), fps=FPS, codec="ffv1", pixels="bgr0"))


@pytest.fixture(autouse=True)
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of five frames at twice the rate."""
    monkeypatch.setattr(planning, "PIECE_SECONDS", 2.5 / FPS)


@pytest.fixture
def make(paths: JobPaths, learnt: Learnt, film: Film, tmp_path: Path) -> Make:
    """`make(name, **how)`: the frames of what is made of the film."""

    def make(name: str = "a", film: Film = film, **how: object) -> np.ndarray:
        asked = Asked(Workspace(paths.workspace.root), learnt.job, **how)
        asked.check()
        course = asked.course(asked.moments(), asked.frames_of(film))
        plan = VideoPlan.of(asked, course, film, "ffv1", tmp_path / name)
        networks = Networks(asked, Device(learnt.job, SessionSettings()))
        output = tmp_path / f"{name}.mkv"
        network = partial(networks.of_video, plan)
        make_video(plan, output, "multitrain 0", network, lambda _: None)
        return frames_of(output)

    return make


@pytest.fixture
def between(paths: JobPaths, learnt: Learnt) -> Callable[..., np.ndarray]:
    """`between(one, other, share)`: what the network makes of two frames alone."""
    asked = Asked(Workspace(paths.workspace.root), learnt.job)
    translator = Translator(asked, Device(learnt.job, SessionSettings()), SIZE)
    weights = translator.place(asked.moments()[0].load(0))

    def of(one: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
        pair = one[None], other[None]
        return translator.make_between(weights, *pair, np.float32([share]))[0]

    return of


def test_frames_stay_bit_for_bit_and_those_between_are_the_network_s(
    make: Make, frames: np.ndarray, tmp_path: Path, between: Callable[..., np.ndarray]
) -> None:
    made = make()

    assert Film.look(tmp_path / "a.mkv").format.fps == 2 * FPS
    assert len(made) == 2 * FRAMES
    np.testing.assert_array_equal(made[::2], frames)
    moving = [place for place in range(FRAMES - 1) if place + 1 not in (CUT, STILL)]
    for place in moving:
        wanted = between(frames[place], frames[place + 1], 0.5)
        assert far(made[2 * place + 1], wanted) <= 1
        assert far(wanted, frames[place]) > 1
    for place in (CUT - 1, STILL - 1, FRAMES - 1):
        np.testing.assert_array_equal(made[2 * place + 1], frames[place])


def test_at_a_cut_the_nearer_frame_is_repeated(make: Make, frames: np.ndarray) -> None:
    made = make(multiple=4)[4 * (CUT - 1) : 4 * CUT + 1]
    before, after = frames[CUT - 1], frames[CUT]
    np.testing.assert_array_equal(made, np.stack([before, before, before, after, after]))


def test_a_closed_loop_has_frames_between_its_end_and_its_beginning(
    make: Make, tmp_path: Path, between: Callable[..., np.ndarray]
) -> None:
    loop = np.concatenate([pan(1, 5), pan(1, 5)[-2:0:-1]])
    path = tmp_path / "loop.mkv"
    film = Film.look(write_video(path, iter(loop), fps=10, codec="ffv1", pixels="bgr0"))

    closed, plain = make("closed", film, closed=True), make("plain", film)

    assert len(closed) == len(plain) == 2 * len(loop)
    assert far(closed[-1], between(loop[-1], loop[0], 0.5)) <= 1
    np.testing.assert_array_equal(plain[-1], loop[-1])
    np.testing.assert_array_equal(closed[:-1], plain[:-1])


def test_any_rate_is_possible(
    make: Make, frames: np.ndarray, between: Callable[..., np.ndarray]
) -> None:
    made = make(fps=75)  # just above 5/2 of the film's
    assert len(made) == round(FRAMES * 75 / FPS)
    wanted = between(frames[0], frames[1], 2 * FPS / 75)
    assert far(made[2], wanted) <= 1
    np.testing.assert_array_equal(made[0], frames[0])


def test_a_call_that_was_killed_goes_on(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, write = make("whole"), FrameSink.write
    frames = 0

    def dies(sink: FrameSink, blocks: np.ndarray) -> None:
        nonlocal frames
        frames += len(blocks)
        if frames > 12:
            raise ZeroDivisionError
        write(sink, blocks)

    with monkeypatch.context() as patch:
        patch.setattr(FrameSink, "write", dies)
        with pytest.raises(ZeroDivisionError):
            make("killed")
    np.testing.assert_array_equal(make("killed"), whole)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"multiple": 2, "fps": 60}, "--times and --fps say the same"),
        ({"fps": 29}, "film.mkv has 29.97 frames per second; --fps must be more"),
        ({"strength": 0.5}, "makes other pictures"),
        ({"steady": 1.0}, "leave out --steady"),
    ],
)
def test_what_cannot_be_is_told(make: Make, how: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make(**how)

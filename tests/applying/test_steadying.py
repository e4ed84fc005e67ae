"""What goes on from frame to frame: smoothed statistics, until a cut, and when a call is killed."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from jobs.errors import UsageError
from jobs.settings.kinds import Resolution
from jobs.workspace.paths import JobPaths, Workspace
from multitrain.applying import planning
from multitrain.applying.asked import Asked
from multitrain.applying.making import Networks, make_video
from multitrain.applying.planning import VideoPlan
from multitrain.applying.remembering import NAME, Kept, keep, kept_in
from multitrain.applying.steadying import (
    Memory,
    frames_to_warm,
    share_of_frame,
)
from multitrain.datasets.looking.cuts import sight_of
from multitrain.engine.session import SessionSettings
from multitrain.inference.network import Device
from render.encoding.streaming import FrameSink
from render.files.film import Film
from render.files.reading import FilmReader, frames_in_order
from tests.applying.conftest import Learn
from tests.applying.weights import noise
from tests.footage import write_video

FRAMES, FPS, CUT_AT = 20, 10, 14
SIZE = Resolution(96, 72)
CYCLES = {"family": "cyclegan", "blocks": 1, "dataset": None, "inputs": "a", "targets": "b"}
SECONDS = 0.4


def flashing() -> np.ndarray:
    """A still scene, in which every third frame has a white square; then another scene."""
    scenes = [cv2.resize(noise(3, 4, 3, seed=seed), SIZE) for seed in (1, 2)]
    frames = np.stack([scenes[number >= CUT_AT] for number in range(FRAMES)])
    frames[::3, :12, :12] = 255
    return frames


@pytest.fixture
def film(tmp_path: Path) -> Film:
    path = tmp_path / "film.mkv"
    return Film.look(write_video(path, iter(flashing()), fps=FPS, codec="ffv1", pixels="bgr0"))


@pytest.fixture(autouse=True)
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of five frames."""
    monkeypatch.setattr(planning, "PIECE_SECONDS", 5 / FPS)


@pytest.fixture
def steady(learn: Learn, workspace: Workspace) -> Asked:
    return Asked(workspace, learn(**CYCLES).job, steady=SECONDS)


def plan_for(asked: Asked, film: Film, name: str) -> VideoPlan:
    course = asked.course(asked.moments(), film.frames)
    return VideoPlan.of(asked, course, film, "ffv1", asked.workspace.applying / name)


def made(plan: VideoPlan, told: list[int] | None = None) -> Path:
    """The video; to `told` is added what is told of the frames meanwhile."""
    networks = Networks(plan.asked, Device(plan.asked.job, SessionSettings()))
    network = partial(networks.following, plan.course, plan.size, plan.share)
    output = plan.asked.workspace.root / f"{plan.folder.name}.mov"
    on_frames = (told if told is not None else []).append
    make_video(plan, output, "multitrain 0", network, on_frames)
    return output


def frames_of(path: Path) -> np.ndarray:
    with FilmReader([path]) as reader:
        return np.stack(list(frames_in_order(reader))).astype(float)


def background(frames: np.ndarray) -> np.ndarray:
    """Farther from where the square comes and goes than convolutions reach."""
    return frames[:, 48:, 48:]


def test_what_comes_and_goes_changes_the_rest_less(steady: Asked, film: Film) -> None:
    plain = Asked(steady.workspace, steady.job)
    flickers, calm = (
        background(frames_of(made(plan_for(asked, film, name))))
        for asked, name in ((plain, "plain"), (steady, "steady"))
    )

    def jumps(frames: np.ndarray, numbers: slice) -> float:
        return float(np.abs(np.diff(frames[numbers], axis=0)).mean())

    assert jumps(calm, slice(3, CUT_AT)) < 0.6 * jumps(flickers, slice(3, CUT_AT))
    np.testing.assert_allclose(calm[0], flickers[0], atol=1, err_msg="nothing was before")
    np.testing.assert_allclose(calm[CUT_AT], flickers[CUT_AT], atol=1, err_msg="after a cut")


def test_a_call_that_was_killed_goes_on_with_what_it_knew(
    steady: Asked, film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, again = made(plan_for(steady, film, "whole")), plan_for(steady, film, "again")
    write, blocks = FrameSink.write, iter(range(2))

    def dies_in_the_third_piece(sink: FrameSink, frames: np.ndarray) -> None:
        if next(blocks, None) is None:
            raise ZeroDivisionError
        write(sink, frames)

    with monkeypatch.context() as patched:
        patched.setattr(FrameSink, "write", dies_in_the_third_piece)
        with pytest.raises(ZeroDivisionError):
            made(again)
    assert len(again.pieces.missing()) == 2

    told: list[int] = []
    assert made(again, told).read_bytes() == whole.read_bytes()
    assert told[0] == 10, "frames that were there"


def test_a_loop_has_seen_its_end_before_its_beginning(steady: Asked, film: Film) -> None:
    scene = flashing()[:CUT_AT]
    path = film.path.with_name("scene.mkv")
    one = Film.look(write_video(path, iter(scene), fps=FPS, codec="ffv1", pixels="bgr0"))
    closed = Asked(steady.workspace, steady.job, steady=SECONDS, closed=True)
    opens, closes = (
        frames_of(made(plan_for(asked, one, name)))
        for asked, name in ((steady, "opens"), (closed, "closes"))
    )
    often = np.concatenate([scene] * 4)
    path = film.path.with_name("often.mkv")
    long = Film.look(write_video(path, iter(often), fps=FPS, codec="ffv1", pixels="bgr0"))
    last = frames_of(made(plan_for(steady, long, "often")))[-CUT_AT:]
    assert np.abs(opens - last).max() > 2
    np.testing.assert_allclose(closes, last, atol=1)


def test_networks_that_take_no_statistics_are_told(
    learn: Learn, workspace: Workspace, paths: JobPaths
) -> None:
    job = learn(family="pix2pix", normalization_g="batch", batch_size=4).job
    with pytest.raises(UsageError, match="those of tiny take nothing of it; leave out --steady"):
        Asked(workspace, job, steady=1).check()


def test_shares_are_those_of_exponential_smoothing() -> None:
    assert (1 - share_of_frame(2, 25)) ** 50 == pytest.approx(np.exp(-1))
    assert frames_to_warm(0.5, 25) == 100


def test_what_goes_on_is_kept_until_it_is_damaged(tmp_path: Path) -> None:
    memory = Memory([np.ones((1, 1, 1, 3)), np.zeros(2)], sight_of(noise(9, 16, 3)))
    keep(tmp_path, Kept(7, memory))
    found = kept_in(tmp_path)
    assert found is not None
    assert found.frames == 7
    np.testing.assert_array_equal(found.memory.sight, memory.sight)
    for ours, theirs in zip(memory.statistics, found.memory.statistics, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert found.memory.goes_on(memory.sight + 19)
    assert not found.memory.goes_on(memory.sight + 21)

    content = bytearray((tmp_path / NAME).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / NAME).write_bytes(content)
    assert kept_in(tmp_path) is None
    assert kept_in(tmp_path / "nowhere") is None

"""Walks as files: exactly as long as planned, closed, whole or not there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from jobs.errors import MultitrainError, UsageError
from jobs.settings.kinds import Resolution
from jobs.settings.loops import Duration, WalkSettings
from jobs.workspace.files import listing
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths
from multitrain.engine.adopting import starting_weights
from multitrain.engine.session import SessionSettings
from multitrain.inference import blocks
from multitrain.walking import making
from multitrain.walking.making import WalkPlan, make_walk
from multitrain.walking.sampler import Sampler
from multitrain.weights.moments import Moments, moments_of
from render.encoding import streaming
from render.encoding.ffmpeg import Stopped
from tests.walking.walked import frames_of

FRAMES = 24


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "walk.mov"


def a_plan(job: JobFile, frames: int = FRAMES, name: str = "ffv1", **changed: object) -> WalkPlan:
    settings = WalkSettings(Duration(frames=frames), **{"keyframes": 3, **changed})
    return WalkPlan(job, settings, name)


def make(
    plan: WalkPlan,
    paths: JobPaths,
    out: Path,
    told: Callable[[int], None] = lambda _: None,
    stop: threading.Event | None = None,
    moments: Moments | None = None,
) -> None:
    moments = moments or moments_of(paths, plan.job.spec, plan.settings)
    make_walk(plan, moments, out, told, SessionSettings(), stop or threading.Event())


def test_a_walk_is_as_long_as_planned_and_shows_what_the_sampler_draws(
    learnt: JobFile, paths: JobPaths, out: Path
) -> None:
    plan, told = a_plan(learnt), []

    make(plan, paths, out, told.append)

    frames = frames_of(out)
    assert frames.shape == (FRAMES, 18, 36, 3)
    assert told[-1] == FRAMES
    sampler = Sampler(learnt, SessionSettings(), 2, 3)
    weights = sampler.place(moments_of(paths, plan.job.spec, plan.settings).load(0))
    for number in (0, 11, FRAMES - 1):
        wanted = sampler.draw(weights, plan.path.at([number]))[0]
        assert np.abs(frames[number].astype(int) - wanted).max() <= 1
    after_the_last = sampler.draw(weights, plan.path.at([FRAMES]))
    assert after_the_last.tobytes() == sampler.draw(weights, plan.path.at([0])).tobytes()


@pytest.mark.parametrize("changed", [{}, {"path": "cubic"}, {"through_time": True}], ids=str)
def test_the_step_that_closes_it_is_like_the_others(
    learnt: JobFile, paths: JobPaths, out: Path, changed: dict[str, object]
) -> None:
    make(a_plan(learnt, 48, **changed), paths, out)

    frames = frames_of(out).astype(float)
    steps = np.abs(np.diff(frames, axis=0, append=frames[:1])).mean(axis=(1, 2, 3))
    assert np.median(steps) > 0.1, "nothing moves"
    assert steps[-1] <= 1.5 * np.median(steps)


def test_through_time_it_begins_at_the_first_and_turns_at_the_last(
    learnt: JobFile, paths: JobPaths, out: Path
) -> None:
    plan = a_plan(learnt, through_time=True)
    moments = moments_of(paths, plan.job.spec, plan.settings)

    make(plan, paths, out)

    frames = frames_of(out)
    sampler = Sampler(learnt, SessionSettings(), 2, 3)
    for number, place in ((0, 0), (FRAMES // 2, 2)):
        weights = sampler.place(moments.load(place))
        wanted = sampler.draw(weights, plan.path.at([number]))[0]
        assert np.abs(frames[number].astype(int) - wanted).max() <= 1


def test_blocks_do_not_show(
    learnt: JobFile, paths: JobPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, told = a_plan(learnt, 23), []
    make(plan, paths, tmp_path / "whole.mov")
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 5 * 18 * 36 * 3)

    make(plan, paths, tmp_path / "parts.mov", told.append)

    assert told == [5, 10, 15, 20, 23]
    whole, parts = (frames_of(tmp_path / f"{name}.mov") for name in ("whole", "parts"))
    assert np.abs(whole.astype(int) - parts).max() <= 1


def test_grid_scale_crop_and_fps_are_its_own(learnt: JobFile, paths: JobPaths, out: Path) -> None:
    size = {"grid": Resolution(2, 1), "crop": Resolution(20, 9), "scale": Resolution(40, 20)}
    duration = Duration(beats=Fraction(4), bpm=Fraction(128))
    plan = WalkPlan(learnt, WalkSettings(duration, fps=30, **size), "ffv1")

    make(plan, paths, out)

    assert plan.length.frames == 56
    assert plan.length.drift == Fraction(56, 30) - Fraction(4 * 60, 128)
    assert frames_of(out).shape == (56, 20, 40, 3)


def test_a_gif_has_all_frames_of_its_plan(learnt: JobFile, paths: JobPaths, tmp_path: Path) -> None:
    settings = WalkSettings(Duration.of(seconds=0.5), fps=60, keyframes=3)
    plan = WalkPlan(learnt, settings, "gif")
    told: list[int] = []

    make(plan, paths, tmp_path / "walk.gif", told.append)

    assert (plan.fps, plan.frames, told[-1]) == (50, 25, 25)
    assert len(frames_of(tmp_path / "walk.gif")) == 25


def test_while_a_block_is_written_the_next_one_is_drawn(
    learnt: JobFile, paths: JobPaths, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 8 * 18 * 36 * 3)
    draws_the_second = threading.Event()
    block, write = making.Drawing.block, streaming.FrameSink.write

    def draw(drawing: making.Drawing, first: int) -> np.ndarray:
        if first:
            draws_the_second.set()
        return block(drawing, first)

    def write_later(sink: streaming.FrameSink, frames: np.ndarray) -> None:
        assert draws_the_second.wait(timeout=30)
        write(sink, frames)

    monkeypatch.setattr(making.Drawing, "block", draw)
    monkeypatch.setattr(streaming.FrameSink, "write", write_later)

    make(a_plan(learnt), paths, out)

    assert len(frames_of(out)) == FRAMES


def test_a_wish_to_stop_leaves_nothing(
    learnt: JobFile, paths: JobPaths, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 1)
    stop, told = threading.Event(), []
    out.write_bytes(b"an older one")

    def tell(frames: int) -> None:
        told.append(frames)
        if frames == 3:
            stop.set()

    with pytest.raises(Stopped):
        make(a_plan(learnt), paths, out, tell, stop)

    assert told == [1, 2, 3]
    assert out.read_bytes() == b"an older one"
    assert [each for each in listing(out.parent) if each.startswith("walk")] == ["walk.mov"]


def test_weights_that_fit_no_more_leave_nothing(
    learnt: JobFile, tiny_job: Callable[..., JobFile], paths: JobPaths, out: Path
) -> None:
    plan = a_plan(tiny_job(gf_dim=8))

    with pytest.raises(MultitrainError, match="the weights do not fit the networks of tiny"):
        make(plan, paths, out)

    assert not [each for each in listing(out.parent) if each.startswith("walk")]


@pytest.mark.parametrize(
    ("columns", "changed", "told"),
    [
        ({"family": "testcard"}, {}, "a walk is drawn by a trained network, and testcard has none"),
        ({}, {"through_time": True, "checkpoint": 4}, "a walk through time goes through all"),
        (
            {},
            {"grid": Resolution(2000, 1)},
            "it would be 24000x9 pixels, and video has at most 16384",
        ),
        ({}, {"crop": Resolution(100, 5)}, "a crop of 100x5 does not lie in a picture of 36x18"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_drawn(
    tiny_job: Callable[..., JobFile],
    columns: dict[str, object],
    changed: dict[str, object],
    told: str,
) -> None:
    with pytest.raises(UsageError, match=told):
        a_plan(tiny_job(**columns), **changed).check()


def test_blocks_fit_memory_whatever_the_size(tiny_job: Callable[..., JobFile]) -> None:
    small = a_plan(tiny_job(), 10**6)
    large = a_plan(tiny_job(1920, 1080, gf_dim=64, grid_width=1, grid_height=1), 10**6)

    assert small.block_frames * 18 * 36 * 3 <= blocks.BLOCK_BYTES
    assert small.block_frames > 100
    assert large.block_frames == 1


def test_starting_weights_alone_draw(learnt: JobFile, paths: JobPaths) -> None:
    """The discriminator, which is kept as well, is not asked."""
    weights = moments_of(paths, learnt.spec, a_plan(learnt).settings).load(0)
    assert any(name.startswith("discriminator/") for name in weights)
    without = {name: each for name, each in weights.items() if name.startswith("generator/")}
    sampler = Sampler(learnt, SessionSettings(), 2, 3)
    latents = a_plan(learnt).path.at([0])

    drawn = sampler.draw(sampler.place(starting_weights(without, "dcgan")), latents)

    np.testing.assert_array_equal(drawn, sampler.draw(sampler.place(weights), latents))

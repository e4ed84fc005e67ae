from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from jobs.plans.plan import FrameRange
from jobs.workspace.files import part_of
from jobs.workspace.paths import CheckpointName, JobPaths
from multitrain.trainer.progress import parse_line
from multitrain.trainer.training import Training
from render.spool.room import Room, kept_bytes
from render.spool.spool import SpoolWriter, batches, spooled_bytes
from tests.trainer.training_bench import FRAME_BYTES, Bench

BATCH_BYTES = 200 * FRAME_BYTES  # of a job of 1000 frames
GIB = 2**30


@pytest.fixture
def spooled(paths: JobPaths) -> JobPaths:
    """100 bytes in a batch up to frame 10, 50 in an unfinished one, 30 in a checkpoint."""
    for path, size in [
        (paths.batch(FrameRange(0, 10)), 100),
        (part_of(paths.batch(FrameRange(10, 20))), 50),
        (paths.checkpoint(CheckpointName(5, 10)), 30),
    ]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))
    return paths


def test_the_budget_counts_spool_and_checkpoints(spooled: JobPaths) -> None:
    assert kept_bytes(spooled) == 180
    assert Room(spooled).shortage(10) is None
    assert Room(spooled, budget=180).shortage(10) is None
    assert Room(spooled, budget=179).shortage(10) == "the spool is full"


def test_without_a_batch_that_could_go_the_budget_does_not_count(spooled: JobPaths) -> None:
    assert Room(spooled, budget=1).shortage(9) is None, "no checkpoint there would cover it"
    spooled.batch(FrameRange(0, 10)).unlink()
    assert Room(spooled, budget=1).shortage(10) is None


def test_a_wait_for_the_disk_ends_a_little_above_its_floor(paths: JobPaths) -> None:
    free = 2.0 * GIB
    room = Room(paths, keep_free=2 * GIB, free=lambda _: int(free))
    assert room.shortage(0) is None
    free = 1.9 * GIB
    assert room.shortage(0) == "less than 2.0 GiB are free on the disk"
    free = 2.1 * GIB
    assert room.shortage(0, waiting=True)
    assert room.shortage(0) is None
    free = 2.3 * GIB
    assert room.shortage(0, waiting=True) is None


def test_what_is_coming_must_fit_above_the_floor(paths: JobPaths) -> None:
    room = Room(paths, keep_free=1000, free=lambda _: 1500)
    assert room.shortage(0, coming=500) is None
    assert room.shortage(0, coming=501)
    assert room.shortage(0, coming=400, waiting=True) is None
    assert room.shortage(0, coming=401, waiting=True), "a wait ends a little above"
    assert room.above_floor() == 500
    anywhere = Room(paths, free=lambda _: 0)
    assert anywhere.shortage(0, coming=2**40) is None, "without a floor nothing is held back"
    assert anywhere.above_floor() == math.inf


class SomebodyElse(threading.Event):
    """Acts whenever the trainer waits, instead of time going by; stops it after too many waits."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self._act = act
        self.waits = 0

    def wait(self, timeout: float | None = None) -> bool:
        self.waits += 1
        assert self.waits < 1000, "it waits for ever"
        self._act()
        return self.is_set()


def let_wait(each: Bench, training: Training, act: Callable[[], object]) -> SomebodyElse:
    each.stop = training.stop = SomebodyElse(act)
    return each.stop


def waited(each: Bench) -> set[float]:
    """The seconds that progress tells of."""
    lines = map(parse_line, each.paths.progress.read_bytes().splitlines())
    return {told.waited for told in lines if told}


def waits_told(caplog: pytest.LogCaptureFixture) -> int:
    return caplog.text.count("waiting at step")


@pytest.mark.usefixtures("_one_step_blocks")
def test_a_full_spool_waits_for_the_render_worker_with_all_covered(
    bench: Callable[..., Bench], caplog: pytest.LogCaptureFixture
) -> None:
    each = bench(1000)
    training = each.training(Room(each.paths, budget=2 * BATCH_BYTES))
    most = 0

    def take_a_covered_batch_at_times() -> None:
        nonlocal most
        oldest = batches(each.paths)[0]
        assert each.paths.checkpoint_names()[-1].frame >= oldest.stop
        most = max(most, len(each.spooled_numbers()))
        each.now += 1
        if worker.waits % 3 == 0:
            each.paths.segments.mkdir(exist_ok=True)
            each.paths.segment(oldest).touch()
            each.paths.batch(oldest).unlink()

    worker = let_wait(each, training, take_a_covered_batch_at_times)
    with caplog.at_level(logging.INFO):
        assert training.run() is True

    assert 400 < most < 600
    assert [batch.stop for batch in batches(each.paths)][-1] == 1000
    assert worker.waits >= 3 * waits_told(caplog) > 0, "a wait is told once"
    assert "the spool is full; waiting at step" in caplog.text
    assert caplog.text.count("there is room; going on") == waits_told(caplog)
    assert waited(each) == {0.0}, "that is how fast it goes with these encoders"


def test_a_budget_below_one_batch_does_not_stop_the_training(bench: Callable[..., Bench]) -> None:
    each = bench(200)  # one batch: nothing could be taken before it is complete

    assert each.training(Room(each.paths, budget=1)).run() is True


@pytest.mark.usefixtures("_one_step_blocks")
def test_a_wait_for_room_ends_with_a_drain(bench: Callable[..., Bench]) -> None:
    each = bench(1000)
    training = each.training(Room(each.paths, budget=1))
    let_wait(each, training, lambda: each.stop.set())

    assert training.run() is False

    assert each.checkpoint_steps()[-1] == each.session.step


@pytest.mark.usefixtures("_one_step_blocks")
def test_a_nearly_full_disk_is_waited_for_and_costs_nothing(
    bench: Callable[..., Bench], caplog: pytest.LogCaptureFixture
) -> None:
    each = bench(100)
    free = 3 * GIB
    training = each.training(Room(each.paths, keep_free=2 * GIB, free=lambda _: free))

    def fill() -> None:
        nonlocal free
        free = GIB if each.session.step == 20 else free

    def make_room_after_a_while() -> None:
        nonlocal free
        assert each.checkpoint_steps() == [each.session.step], "who waits long may be killed"
        free += GIB // 2
        each.now += 10

    each.session.before_run = fill
    let_wait(each, training, make_room_after_a_while)
    with caplog.at_level(logging.INFO):
        assert training.run() is True

    assert waits_told(caplog) == 1
    assert waited(each) == {0.0, 10.0 * each.stop.waits}
    assert "less than 2.0 GiB are free on the disk; waiting at step 21" in caplog.text
    assert each.spooled_numbers() == list(range(100))


def test_blocks_that_grow_do_not_leap_below_the_floor(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fast device soon makes more in one block than the disk has room for above the floor."""
    each = bench(20_000)
    disk, floor = 8000 * FRAME_BYTES, 4000 * FRAME_BYTES
    seen: list[int] = []
    write = SpoolWriter.write

    def look(_: object = None) -> int:
        seen.append(disk - spooled_bytes(each.paths))
        return seen[-1]

    def write_and_look(writer: SpoolWriter, frames: NDArray[np.uint8]) -> None:
        write(writer, frames)
        look()

    def encode_all() -> None:
        each.paths.segments.mkdir(exist_ok=True)
        for batch in batches(each.paths):
            each.paths.segment(batch).touch()
            each.paths.batch(batch).unlink()

    monkeypatch.setattr(SpoolWriter, "write", write_and_look)
    training = each.training(Room(each.paths, keep_free=floor, free=look))
    worker = let_wait(each, training, encode_all)
    assert training.run() is True

    assert floor <= min(seen) < 1.01 * floor, "it comes as close as it may"
    assert worker.waits > 2
    assert max(each.session.runs) > 500, "blocks grow where there is room"
    assert sum(each.session.runs) == 10_000

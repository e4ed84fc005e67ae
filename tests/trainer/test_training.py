from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from jobs.errors import Diverged, MultitrainError, NothingComes, PicturesChanged
from jobs.families.feed import PICTURES
from jobs.workspace.paths import CheckpointName, JobPaths
from multitrain.farm.progress_reader import last_progress
from multitrain.trainer import training as training_module
from multitrain.weights.checkpoints import Checkpoint
from tests.trainer.training_bench import FINGERPRINT, Bench


def test_every_frame_is_written_once_and_covered(bench: Callable[..., Bench]) -> None:
    each = bench(19)

    assert each.training().run() is True

    assert each.spooled_numbers() == list(range(19))
    assert each.paths.checkpoint_names() == [CheckpointName(10, 19)]
    told = last_progress(each.paths.progress)
    assert told is not None
    assert (told.step, told.frame) == (10, 19)


def test_blocks_grow_but_pause_at_every_timecuts_end(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    each = bench(100, auto_render_period=3.0)  # 30 frames: steps 15, 30, 45, 50
    saved = []
    save = training_module.checkpoints.save

    def record(paths: JobPaths, checkpoint: Checkpoint, ends: list[int]) -> None:
        saved.append(checkpoint.name.step)
        save(paths, checkpoint, ends)

    monkeypatch.setattr(training_module.checkpoints, "save", record)
    each.training().run()

    assert saved == [15, 30, 45, 50]
    ends = np.cumsum(each.session.runs).tolist()
    assert {15, 30, 45, 50} <= set(ends)
    assert max(each.session.runs) > 1


def test_a_block_is_written_while_the_device_makes_the_next(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    each = bench(20)
    training = each.training()
    makes_the_second, write = threading.Event(), training_module.SpoolWriter.write

    def write_later(writer, frames: np.ndarray) -> None:
        assert makes_the_second.wait(timeout=30)
        write(writer, frames)

    monkeypatch.setattr(training_module.SpoolWriter, "write", write_later)
    each.session.before_run = lambda: makes_the_second.set() if each.session.step else None

    assert training.run() is True


def test_a_checkpoint_covers_only_frames_that_are_on_the_disk(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    each = bench(20, auto_render_period=0.6)
    told: list[object] = []
    flush = training_module.SpoolWriter.flush

    def record_flush(writer) -> None:
        flush(writer)
        told.append("flushed")

    def look(paths: JobPaths, checkpoint: Checkpoint, ends: list[int]) -> None:
        assert told.pop() == "flushed"
        told.append((checkpoint.name.frame, len(each.spooled_numbers())))

    monkeypatch.setattr(training_module.SpoolWriter, "flush", record_flush)
    monkeypatch.setattr(training_module.checkpoints, "save", look)
    each.training().run()

    saved = [each for each in told if each != "flushed"]
    assert saved == [(6, 6), (12, 12), (18, 18), (20, 20)]


@pytest.mark.usefixtures("_one_step_blocks")
def test_the_clock_asks_for_checkpoints(bench: Callable[..., Bench]) -> None:
    each = bench(400)
    training = each.training()

    def advance() -> None:
        each.now += 50.0
        if each.session.step == 8:
            each.stop.set()

    each.session.before_run = advance
    training.run()

    assert each.checkpoint_steps() == [6, 9], "every 150 s, and at the drain"


def test_a_drain_keeps_the_block_in_hand_and_the_next_start_goes_on(
    bench: Callable[..., Bench],
) -> None:
    each = bench(200)
    training = each.training()
    each.session.before_run = lambda: each.stop.set() if each.session.step >= 5 else None

    assert training.run() is False

    stopped = each.session.step
    assert 5 < stopped < 100
    assert each.spooled_numbers() == list(range(2 * stopped))
    assert each.checkpoint_steps()[-1] == stopped

    each.stop.clear()
    assert each.training().run() is True
    assert each.session.runs[0] == 1
    assert sum(each.session.runs) == 100 - stopped
    assert each.spooled_numbers() == list(range(200))


@pytest.mark.usefixtures("_one_step_blocks")
@pytest.mark.usefixtures("_one_step_blocks")
def test_what_came_live_is_kept_where_nothing_comes_any_more(bench: Callable[..., Bench]) -> None:
    """It does not come again: a checkpoint covers it before the try has failed."""
    each = bench(200)
    training = each.training()

    def end_of_the_stream() -> None:
        if each.session.step == 7:
            raise NothingComes("no frame came")

    each.session.before_run = end_of_the_stream
    with pytest.raises(NothingComes):
        training.run()
    assert each.paths.checkpoint_names() == [CheckpointName(7, 14)]
    assert each.spooled_numbers() == list(range(14))


@pytest.mark.usefixtures("_one_step_blocks")
def test_a_crash_costs_what_no_checkpoint_covers(bench: Callable[..., Bench]) -> None:
    each = bench(40, auto_render_period=1.0)
    training = each.training()

    def crash() -> None:
        if each.session.step >= 8:
            raise RuntimeError("crash")

    each.session.before_run = crash
    with pytest.raises(RuntimeError, match="crash"):
        training.run()
    assert each.checkpoint_steps() == [5]
    assert len(each.spooled_numbers()) > 10

    each.training().run()
    assert sum(each.session.runs) == 20 - 5
    assert each.spooled_numbers() == list(range(40))
    assert each.told_steps() == list(range(1, 21))


def test_a_wish_to_stop_before_the_first_step_makes_nothing(bench: Callable[..., Bench]) -> None:
    each = bench()
    each.stop.set()

    assert each.training().run() is False

    assert each.session.runs == []
    assert each.checkpoint_steps() == []


def test_without_checkpoints_a_job_starts_over(bench: Callable[..., Bench]) -> None:
    each = bench(40, use_checkpoints=False)
    training = each.training()
    each.session.before_run = lambda: each.stop.set() if each.session.step >= 5 else None
    training.run()
    each.stop.clear()

    assert each.training().run() is True

    assert sum(each.session.runs) == 20
    assert each.spooled_numbers() == list(range(40))
    assert each.checkpoint_steps() == []


def test_frames_of_published_timecuts_are_made_again_but_not_written(
    bench: Callable[..., Bench],
) -> None:
    each = bench(40, auto_render_period=1.0)
    each.paths.timecut(1).parent.mkdir(parents=True)
    each.paths.timecut(1).touch()
    first = each.job.plan.batch_containing(0)
    each.paths.segments.mkdir(parents=True)
    each.paths.segment(first).touch()

    each.training().run()

    assert each.spooled_numbers() == list(range(10, 40))
    assert each.session.step == 20


# NaN


@pytest.mark.usefixtures("_one_step_blocks")
def test_nan_goes_back_to_the_checkpoint_and_takes_another_way(bench: Callable[..., Bench]) -> None:
    each = bench(40, auto_render_period=1.0)
    training = each.training()
    each.session.broken_at, each.session.mended_by = 8, 2

    assert training.run() is True

    assert each.session.detours == 2
    assert each.spooled_numbers() == list(range(40))


def test_nan_before_any_checkpoint_goes_back_to_the_beginning(bench: Callable[..., Bench]) -> None:
    each = bench(40, use_checkpoints=False)
    training = each.training()
    each.session.broken_at, each.session.mended_by = 3, 3

    assert training.run() is True

    assert each.spooled_numbers() == list(range(40))


@pytest.mark.usefixtures("_one_step_blocks")
def test_nan_at_every_try_is_given_up_with_advice(bench: Callable[..., Bench]) -> None:
    each = bench(40, auto_render_period=1.0)
    training = each.training()
    each.session.broken_at = 8

    with pytest.raises(
        Diverged, match=r"loss g became nan before step \d+.*3 times.*learning_rate"
    ):
        training.run()

    assert each.session.detours == 3
    assert each.checkpoint_steps() == [5]
    assert each.spooled_numbers() == list(range(14)), "no frame of a broken block is written"


def test_progress_earns_new_tries(bench: Callable[..., Bench]) -> None:
    """Three tries at step 8, then three more at step 18: a checkpoint lies between."""
    each = bench(40, auto_render_period=1.0)
    training = each.training()
    each.session.broken_at, each.session.mended_by = 8, 3

    def break_again() -> None:
        if each.session.step >= 15 and each.session.mended_by == 3:
            each.session.broken_at, each.session.mended_by = 18, 6

    each.session.before_run = break_again

    assert training.run() is True
    assert each.session.detours == 6


def test_weights_that_are_nan_never_become_a_checkpoint(bench: Callable[..., Bench]) -> None:
    each = bench(40, auto_render_period=1.0)
    training = each.training()
    each.session.weights_broken_at = 10

    with pytest.raises(Diverged, match="net/weight became NaN or infinite before step 10"):
        training.run()

    assert each.checkpoint_steps() == [5]


def test_a_checkpoint_of_another_network_is_told(bench: Callable[..., Bench]) -> None:
    each = bench()
    state = {"step": np.array(1)}
    checkpoint = Checkpoint(
        CheckpointName(1, 2), "testcard", "tensorflow", {PICTURES: FINGERPRINT}, state
    )
    training_module.checkpoints.save(each.paths, checkpoint)

    with pytest.raises(MultitrainError, match=r"does not fit .*--fresh"):
        each.training().run()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"count": 398}, "400 of 4x2 then, 398 of 4x2 now"),
        ({"width": 8}, "400 of 4x2 then, 400 of 8x2 now"),
        ({"digest": "4567"}, "400 of 4x2 then and now, but not the same ones"),
    ],
)
def test_a_training_goes_on_with_the_same_pictures_or_not_at_all(
    bench: Callable[..., Bench], changes: dict[str, object], told: str
) -> None:
    each = bench(200)
    training = each.training()
    each.session.before_run = lambda: each.stop.set() if each.session.step >= 5 else None
    training.run()
    each.stop.clear()
    spooled, steps = each.spooled_numbers(), each.checkpoint_steps()

    with pytest.raises(PicturesChanged, match=rf"since the checkpoint: {told}.*--fresh"):
        each.training(pictures=replace(FINGERPRINT, **changes)).run()

    assert (each.spooled_numbers(), each.checkpoint_steps()) == (spooled, steps)
    assert each.session.runs == []
    assert each.training().run() is True
    assert each.spooled_numbers() == list(range(200))


def test_a_training_does_not_go_on_with_other_feeds(bench: Callable[..., Bench]) -> None:
    each = bench(200)
    training = each.training()
    each.session.before_run = lambda: each.stop.set() if each.session.step >= 5 else None
    training.run()
    each.stop.clear()
    again = each.training()
    again.pictures = {**again.pictures, "clips": FINGERPRINT}

    with pytest.raises(PicturesChanged, match="none of clips then, 400 of 4x2 now"):
        again.run()


def test_pictures_may_change_before_the_first_checkpoint(bench: Callable[..., Bench]) -> None:
    each = bench(20)
    each.stop.set()
    each.training().run()
    each.stop.clear()

    assert each.training(pictures=replace(FINGERPRINT, count=1)).run() is True

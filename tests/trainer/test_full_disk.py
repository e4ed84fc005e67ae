"""A disk that takes no more: the next start goes on as if nothing had happened.

What cannot be written is `/dev/full` under the name of a file, so the kernel itself refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.errors import ExitCode
from jobs.plans.plan import FrameRange
from jobs.workspace.disk import means_full
from jobs.workspace.failures import Failure, Kind
from jobs.workspace.files import part_of
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import CheckpointName, JobPaths
from multitrain.farm.progress_reader import last_progress, training_failure
from multitrain.trainer import process as trainer
from render.spool.spool import batches
from tests.trainer.trainer_child import TrainerChild
from tests.trainer.training_bench import Bench

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


def fill(path: Path) -> None:
    """Whatever is written to `path` from now on finds no room."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to("/dev/full")


@pytest.mark.usefixtures("_one_step_blocks")
@pytest.mark.parametrize("place", ["spool", "checkpoint", "progress"])
def test_the_next_start_goes_on_exactly(bench: Callable[..., Bench], place: str) -> None:
    each = bench(40, auto_render_period=1.0)  # timecuts of 10 frames, 5 steps
    full = {
        "spool": part_of(each.paths.batch(FrameRange(20, 30))),
        "checkpoint": part_of(each.paths.checkpoint(CheckpointName(15, 30))),
        "progress": each.paths.progress,
    }[place]
    training = each.training()
    told: list[str] = []

    def fill_in_time() -> None:
        if each.session.step == 8:
            told.append(each.paths.progress.read_text())
            fill(full)

    each.session.before_run = fill_in_time
    with pytest.raises(OSError, check=means_full):
        training.run()
    reached = each.checkpoint_steps()[-1]
    assert reached in (5, 10)

    if place == "progress":  # what was told before was told to a real file
        full.unlink()
        full.write_text(told[0] + '{"step": 9, "fra')
    assert each.training().run() is True

    assert sum(each.session.runs) == 20 - reached
    assert each.spooled_numbers() == list(range(40))
    assert each.told_steps() == list(range(1, 21))
    assert each.checkpoint_steps() == [15, 20]
    assert not list(each.paths.run.rglob("*.part"))


@pytest.mark.usefixtures("_one_step_blocks")
def test_a_start_that_cannot_even_rewind_changes_nothing(bench: Callable[..., Bench]) -> None:
    each = bench(40)
    training = each.training()
    each.session.before_run = lambda: each.stop.set() if each.session.step >= 8 else None
    training.run()
    each.stop.clear()
    told = each.told_steps()

    fill(part_of(each.paths.progress))
    with pytest.raises(OSError, match="No space left"):
        each.training().run()

    assert each.told_steps() == told
    assert each.training().run() is True
    assert each.spooled_numbers() == list(range(40))
    assert each.told_steps() == list(range(1, 21))


def test_curves_that_cannot_be_drawn_stop_nothing(
    bench: Callable[..., Bench], caplog: pytest.LogCaptureFixture
) -> None:
    each = bench(40)
    each.paths.run.mkdir(parents=True)
    each.paths.tensorboard.touch()  # where a folder is to be

    assert each.training().run() is True

    assert each.spooled_numbers() == list(range(40))
    assert caplog.text.count("no more curves for TensorBoard") == 1


def test_the_process_says_so_and_the_next_one_goes_on(
    submit: Callable[..., JobFile], start: Callable[..., TrainerChild], paths: JobPaths
) -> None:
    job = submit(60, family="testcard")
    paths.progress.write_text('{"time": 0, "step": 0, "frame": 0}\n')
    fill(part_of(paths.progress))

    first = start()

    assert first.end() == ExitCode.DISK_FULL, first.log
    failure = training_failure(paths, ExitCode.DISK_FULL)
    assert failure.kind == Kind.DISK_FULL
    assert "No space left on device" in failure.reason
    second = start()
    assert second.end() == ExitCode.DONE, second.log
    assert sum(map(len, batches(paths))) == job.plan.frames_total
    told = last_progress(paths.progress)
    assert told is not None
    assert told.frame == 60
    assert not paths.training_failure.exists()


def test_no_room_for_the_failure_is_no_other_failure(
    paths: JobPaths, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fill(part_of(paths.training_failure))

    code = trainer._give_up(paths, OSError(28, "No space left on device"))

    assert code == ExitCode.DISK_FULL
    assert Failure.load(paths.training_failure) is None
    assert "that cannot be written down" in caplog.text


def test_a_log_without_room_does_not_change_the_exit_code(
    submit: Callable[..., JobFile], start: Callable[..., TrainerChild], paths: JobPaths
) -> None:
    submit(60, family="testcard")
    paths.progress.write_text('{"time": 0, "step": 0, "frame": 0}\n')
    fill(part_of(paths.progress))

    with Path("/dev/full").open("w") as log:
        assert start(stderr=log).end() == ExitCode.DISK_FULL
        assert start(stderr=log).end() == ExitCode.DONE

"""A trainer that draws walks makes no frames of its film, and is not stuck all the same."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from jobs.errors import MultitrainError
from jobs.workspace.paths import CheckpointName, Workspace
from multitrain.executors import Launch
from multitrain.farm import filming
from multitrain.farm.progress_reader import last_progress
from multitrain.farm.stalls_and_retries import StallWatch
from multitrain.protocol.progress_lines import parse_line
from multitrain.slots.cpu import CpuPool
from multitrain.trainer.progress import ProgressLog
from render.spool.notes import note_given_up, still_to_draw
from tests.farm.simulation import GIB, Outcome, Simulate, make_job


def test_frames_of_walks_count_as_signs_of_life(workspace: Workspace) -> None:
    watch = StallWatch(60.0, 100, now=0.0)

    for minute in range(1, 10):
        watch.saw(100 + 5 * minute, now=50.0 * minute)
        assert not watch.is_stuck(50.0 * minute)

    assert watch.is_stuck(450.0 + 61.0), "one that hangs is"


def test_lines_tell_of_them_and_old_lines_of_none(workspace: Workspace) -> None:
    paths = workspace.job("job")
    paths.run.mkdir(parents=True)
    progress = ProgressLog(paths)
    progress.tell(50, 100, 9.0, {})
    first = last_progress(paths.progress)
    progress.tell_walked(50, 100, 7)
    second = last_progress(paths.progress)
    progress.close()

    assert first is not None
    assert second is not None
    assert (first.frame, first.walked) == (100, 0)
    assert (second.frame, second.walked) == (100, 7)
    assert parse_line(json.dumps({"time": 1, "step": 2, "frame": 3, "walked": "x"}).encode()) == (
        1.0, 2, 3, 0, 0.0,
    )  # fmt: skip


def test_a_rewind_behind_the_last_step_keeps_its_frames_count(workspace: Workspace) -> None:
    paths = workspace.job("job")
    paths.run.mkdir(parents=True)
    progress = ProgressLog(paths)
    progress.tell(50, 100, 9.0, {})
    progress.tell_walked(50, 100, 7)

    progress.tell_complete(50, 100)
    progress.close()

    told = last_progress(paths.progress)
    assert told is not None
    assert (told.frame, told.walked) == (100, 0), "those of an earlier try are no signs of life"


@pytest.mark.parametrize("retries", [0, 2])
def test_a_trainer_that_dies_of_its_walk_costs_the_job_nothing_but_the_walk(
    simulate: Simulate, retries: int
) -> None:
    """It is tried again like any other trainer; then the film is finished without."""
    job = make_job("a", loops="walk(frames=9)", retries=str(retries))
    simulation = simulate([job], CpuPool(1))
    total = job.plan.frames_total
    last = CheckpointName(job.plan.steps_total, total)
    simulation.outcomes["a"] = [Outcome(code=-9, checkpoint=last) for _ in range(9)]
    simulation.slow_films.add("a")
    for _ in range(100):
        simulation.tick()
    assert simulation.states() == {"a": "rendering"}
    assert len(simulation.started()) == retries + 1
    assert still_to_draw(simulation.workspace.job("a"), job) == []
    simulation.slow_films.clear()
    simulation.run()
    assert simulation.states() == {"a": "done"}
    (row,) = simulation.farm.rows()
    assert "without a_loop0001.mp4" in row.error


def test_walks_that_were_given_up_are_tried_again_in_the_next_night(
    workspace: Workspace, simulate: Simulate
) -> None:
    job = make_job("a", loops="walk(frames=9)")
    simulate([job], CpuPool(1))
    paths = workspace.job("a")
    (walk,) = still_to_draw(paths, job)
    note_given_up(paths, job, walk)
    assert still_to_draw(paths, job) == []
    simulate([job], CpuPool(1))
    assert still_to_draw(paths, job) == [walk]


@pytest.mark.parametrize("loops", ["", "walk(frames=9)"])
def test_frames_that_were_lost_fail_a_job_whose_checkpoint_covers_them(
    simulate: Simulate, loops: str
) -> None:
    """Else the film would be waited for, for ever."""
    job = make_job("a", loops=loops)
    simulation = simulate([job], CpuPool(1))
    last = CheckpointName(job.plan.steps_total, job.plan.frames_total)
    lost = {"kind": "frames_lost", "reason": "batches are gone"}
    simulation.outcomes["a"] = [Outcome(code=1, checkpoint=last, failure=lost) for _ in range(9)]
    simulation.slow_films.add("a")
    simulation.run()
    assert simulation.states() == {"a": "failed"}
    assert len(simulation.started()) == 1


def test_a_trained_job_whose_trainer_cannot_be_started_goes_on_without_its_walk(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job("a", loops="walk(frames=9)", retries="1")
    simulation = simulate([job], CpuPool(1))
    last = CheckpointName(job.plan.steps_total, job.plan.frames_total)
    simulation.outcomes["a"] = [Outcome(code=-9, checkpoint=last)]
    simulation.slow_films.add("a")
    for _ in range(11):
        simulation.tick()

    def start(launch: Launch, *, real: Callable[..., object] = simulation.start) -> object:
        if launch.listens:
            return real(launch)
        raise MultitrainError("no more processes")

    monkeypatch.setattr(simulation, "start", start)
    for _ in range(30):
        simulation.tick()
    assert simulation.states() == {"a": "rendering"}
    simulation.slow_films.clear()
    simulation.run()
    assert simulation.states() == {"a": "done"}


def test_exports_that_wait_for_room_are_told(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulation = simulate([make_job("a", format="h264,ffv1")], CpuPool(1))
    simulation.slow_films.add("a")
    for _ in range(15):
        simulation.tick()
    assert simulation.states() == {"a": "rendering"}
    assert simulation.farm.waiting_for() == {}
    monkeypatch.setattr(filming, "free_bytes", lambda folder: GIB + 1000)
    assert simulation.farm.waiting_for() == {"a": "its ffv1 of the film waits for room on the disk"}

"""What breaks in a night, in virtual time: no GPU, no process, no second of waiting."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path
from unittest.mock import Mock

import pytest

from jobs.errors import ExitCode
from jobs.workspace.files import listing
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import CheckpointName, JobPaths, Workspace
from multitrain.farm.disk_watch import FULL_SECONDS
from multitrain.farm.events import Happening
from multitrain.slots.cpu import CpuPool
from multitrain.slots.gpus import GpuPool
from render.spool.spool import locked
from tests.farm.simulation import FakeDriver, Outcome, Simulate, make_job


def test_a_job_that_gets_further_each_time_is_never_given_up(simulate: Simulate) -> None:
    simulation = simulate([make_job("a", retries="1")], CpuPool(1))
    simulation.outcomes["a"] = [
        Outcome(code=-9, frames=2 * step, checkpoint=CheckpointName(step, 2 * step))
        for step in range(1, 8)
    ]
    simulation.run()
    assert simulation.states() == {"a": "done"}
    assert len(simulation.started()) == 8


def test_a_job_that_stays_where_it_is_is_given_up(simulate: Simulate) -> None:
    simulation = simulate([make_job("a", retries="1")], CpuPool(1))
    simulation.outcomes["a"] = [
        Outcome(code=-9, frames=6, checkpoint=CheckpointName(3, 6)) for _ in range(9)
    ]
    simulation.run()
    assert simulation.states() == {"a": "failed"}
    assert len(simulation.started()) == 2


def test_a_killed_trainer_is_started_again_at_once(simulate: Simulate) -> None:
    simulation = simulate([make_job("a")], CpuPool(1))
    simulation.outcomes["a"] = [Outcome(code=-9, seconds=5)]
    simulation.tick(10)
    happened = [event.happening for event in simulation.tick()]
    assert happened == [Happening.RETRIED, Happening.STARTED]


def test_a_stuck_trainer_writes_its_stack_and_is_ended_and_retried(simulate: Simulate) -> None:
    simulation = simulate([make_job("a", stall_minutes="10")], CpuPool(1))
    simulation.outcomes["a"] = [Outcome(seconds=1e9)]
    simulation.tick()
    stuck = simulation.trainers[0]
    stuck.make(2)
    made_at = simulation.now
    while simulation.now <= made_at + 600:
        simulation.tick()
    assert not stuck.dumped
    simulation.tick()
    assert (stuck.dumped, stuck.signalled) == (True, None)  # it may write before it is ended
    simulation.run()
    assert stuck.signalled == -9
    assert simulation.started() == ["a", "a"]
    assert simulation.states() == {"a": "done"}
    assert "no progress for 10 minutes" in next(
        event.text for event in simulation.events if event.happening is Happening.RETRIED
    )


def test_steps_without_frames_are_signs_of_life(simulate: Simulate) -> None:
    """The film begins after thousands of steps; then the training stands still all the same."""
    job = make_job("a", stall_minutes="1", snapshot="every 10 steps", first_frame_after="5000")
    simulation = simulate([job], CpuPool(1))
    simulation.outcomes["a"] = [Outcome(seconds=1e9)]
    simulation.tick()
    (trainer,) = simulation.trainers
    for _ in range(150):
        trainer.make(0, step=int(simulation.now - trainer.started))
        simulation.tick()
    assert not trainer.dumped
    (view,) = simulation.farm.views()
    assert (view.frames_done, view.steps.total) == (0, 5000 + 360 * 10)
    assert 140 < view.steps.done <= 150
    for _ in range(70):
        simulation.tick()
    assert trainer.dumped


def test_the_first_frame_may_take_three_times_as_long(simulate: Simulate) -> None:
    simulation = simulate([make_job("a", stall_minutes="10")], CpuPool(1))
    simulation.outcomes["a"] = [Outcome(seconds=1790)]
    simulation.run(ticks=2000)
    assert simulation.started() == ["a"]


def test_a_trainer_that_waits_for_room_is_not_stuck(
    simulate: Simulate, workspace: Workspace
) -> None:
    simulation = simulate([make_job("a", stall_minutes="1")], CpuPool(1))
    simulation.outcomes["a"] = [Outcome(seconds=980)]
    simulation.tick()
    paths = workspace.job("a")
    leave_checkpoint(paths, 240)
    simulation.trainers[0].make(240)
    spool = paths.spool
    spool.mkdir(parents=True)
    waiting = spool / "000000000-000000240.rgb"
    waiting.write_bytes(b"more than the one byte of the budget")
    while simulation.now < 1900:
        simulation.tick()
    assert not simulation.trainers[0].dumped
    waiting.unlink()
    while simulation.now < 1925:  # room has come late, and there is still time for a frame
        simulation.tick()
    assert not simulation.trainers[0].dumped
    simulation.trainers[0].make(242)
    while simulation.now < 1980:
        simulation.tick()
    assert not simulation.trainers[0].dumped
    simulation.run()
    assert simulation.started() == ["a"]


def leave_checkpoint(paths: JobPaths, frame: int) -> None:
    paths.checkpoints.mkdir(parents=True, exist_ok=True)
    paths.checkpoint(CheckpointName(frame // 2, frame)).touch()


def test_a_trainer_that_hangs_before_its_checkpoint_has_no_excuse(
    simulate: Simulate, workspace: Workspace
) -> None:
    """Frames that no checkpoint covers are for nobody else to take."""
    simulation = simulate([make_job("a", stall_minutes="1", retries="0")], CpuPool(1))
    simulation.outcomes["a"] = [Outcome(seconds=1e9)]
    simulation.tick()
    simulation.trainers[0].make(240)
    spool = workspace.job("a").spool
    spool.mkdir(parents=True)
    (spool / "000000000-000000240.rgb").write_bytes(b"more than the one byte of the budget")
    simulation.run()
    assert simulation.states() == {"a": "failed"}


def test_a_machine_that_was_asleep_is_no_stall(simulate: Simulate) -> None:
    simulation = simulate([make_job("a", stall_minutes="1", retries="0")], CpuPool(1))
    simulation.outcomes["a"] = [Outcome(seconds=2 * 3600)]
    simulation.tick()
    simulation.trainers[0].make(2)
    simulation.tick()
    simulation.now += 3600
    for _ in range(50):
        simulation.tick()
    simulation.trainers[0].make(4)
    simulation.tick()
    assert not simulation.trainers[0].dumped


def test_a_farm_that_is_slow_now_and_then_still_ends_what_is_stuck(simulate: Simulate) -> None:
    simulation = simulate([make_job("a", stall_minutes="1", retries="0")], CpuPool(1))
    simulation.outcomes["a"] = [Outcome(seconds=1e9)]
    for tick in range(400):
        simulation.tick(seconds=30 if tick % 60 == 0 else 1)
    assert simulation.states() == {"a": "failed"}


def test_a_workspace_that_is_away_for_a_while_is_waited_for(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [make_job(name, stall_minutes="1", retries="0") for name in "abc"]
    simulation = simulate(jobs, CpuPool(1))
    simulation.slow_films.add("a")
    while simulation.states() != {"a": "rendering", "b": "running", "c": "queued"}:
        simulation.tick()
    with monkeypatch.context() as patch:
        stale = OSError(errno.ESTALE, "Stale file handle")
        for name in ("stat", "listdir", "scandir"):
            patch.setattr(os, name, Mock(side_effect=stale))
        patch.setattr(Path, "stat", Mock(side_effect=stale))
        for _ in range(500):
            simulation.tick()
            assert simulation.farm.waiting_for() == {}
    simulation.slow_films.clear()
    simulation.run()
    assert simulation.states() == {"a": "done", "b": "done", "c": "done"}
    assert simulation.started() == ["a", "b", "c"]
    told = [str(event) for event in simulation.events if not event.job]
    assert "the workspace: it cannot be reached (stale file handle)" in told
    assert "the workspace: it can be reached again" in told


def test_a_render_worker_that_holds_a_lock_for_ever_does_not_hold_up_the_farm(
    simulate: Simulate, workspace: Workspace
) -> None:
    simulation = simulate([make_job("a", retries="0")], CpuPool(1))
    simulation.outcomes["a"] = [Outcome(code=1, frames=0)]
    simulation.tick()
    with locked(workspace.job("a")):
        simulation.run()
    assert simulation.states() == {"a": "failed"}


def test_a_trainer_that_cannot_be_ended_is_told_of(simulate: Simulate) -> None:
    simulation = simulate([make_job("a", stall_minutes="1")], CpuPool(1))
    simulation.outcomes["a"] = [Outcome(seconds=1e9, dies=False)]
    simulation.tick()
    while simulation.now < 1400:
        simulation.tick()
    told = [str(event) for event in simulation.events if event.happening is Happening.TROUBLE]
    assert told == ["a: its trainer cannot be ended and keeps cpu 0"]


def test_a_trainer_that_hangs_after_its_last_frame_has_trained_all_the_same(
    simulate: Simulate, workspace: Workspace
) -> None:
    job = make_job("a", stall_minutes="1", retries="0")
    simulation = simulate([job], CpuPool(1))
    simulation.outcomes["a"] = [Outcome(seconds=1e9)]
    simulation.tick()
    simulation.trainers[0].make(job.frames_total)
    leave_checkpoint(workspace.job("a"), job.frames_total)
    simulation.run()
    assert simulation.states() == {"a": "done"}
    assert simulation.started() == ["a"]


def test_a_job_that_the_render_worker_gave_up_while_it_was_queued_is_rendered_anew(
    simulate: Simulate, workspace: Workspace
) -> None:
    simulation = simulate([make_job("a", retries="5")], CpuPool(1))
    simulation.outcomes["a"] = [Outcome(code=-9, seconds=0, frames=0) for _ in range(3)]
    while simulation.states() != {"a": "queued"} or not simulation.workers:
        simulation.tick()
    workspace.job("a").render_failure.write_text('{"kind": "render", "reason": "no luck"}')
    simulation.workers[0].jobs.remove("a")  # as the worker does, which has left the file
    simulation.run()
    assert simulation.states() == {"a": "done"}


def test_frames_that_no_checkpoint_covers_do_not_take_room_while_the_job_waits(
    simulate: Simulate, workspace: Workspace
) -> None:
    simulation = simulate([make_job("a")], CpuPool(1))
    simulation.outcomes["a"] = [Outcome(code=ExitCode.DISK_FULL, seconds=1, frames=0)]
    simulation.tick()
    paths = workspace.job("a")
    paths.spool.mkdir(parents=True)
    (paths.spool / "000000000-000000240.rgb").write_bytes(b"frames")
    while simulation.states() != {"a": "queued"}:
        simulation.tick()
    assert listing(paths.spool) == []


def test_a_job_that_wants_more_gpus_than_are_left_lets_the_others_pass(
    simulate: Simulate, driver: FakeDriver, workspace: Workspace
) -> None:
    pool = GpuPool(driver, driver.gpus()[:2], workspace.root / "leases")
    driver.devices = driver.devices[:1]
    simulation = simulate([make_job("two", gpus="2"), make_job("one")], pool)
    while simulation.states()["one"] != "done":
        simulation.tick()
    assert simulation.states()["two"] == "queued"
    assert simulation.farm.waiting_for()["two"] == "needs 2 slots, and 1 are left"


def test_a_job_that_breaks_every_gpu_uses_up_its_tries(
    simulate: Simulate, driver: FakeDriver, workspace: Workspace
) -> None:
    pool = GpuPool(driver, driver.gpus()[:2], workspace.root / "leases")
    simulation = simulate([make_job("long"), make_job("bad", retries="1"), make_job("next")], pool)
    simulation.outcomes["long"] = [Outcome(seconds=8 * 3600)]
    told = {"kind": "device", "reason": "CUDA_ERROR_ILLEGAL_ADDRESS"}
    simulation.outcomes["bad"] = [Outcome(code=1, frames=0, failure=told) for _ in range(50)]
    simulation.run(ticks=30_000)
    assert simulation.states() == {"long": "done", "bad": "failed", "next": "done"}
    assert simulation.started().count("bad") <= 4


def test_a_trainer_that_does_not_drain_is_ended_in_the_end(simulate: Simulate) -> None:
    simulation = simulate([make_job("a", stall_minutes="1")], CpuPool(1))
    simulation.outcomes["a"] = [Outcome(seconds=1e9, drains=False)]
    simulation.tick()
    simulation.farm.drain()
    simulation.run()
    assert simulation.now < 1000 + 60 * 3 + 10
    assert simulation.farm.exit_code == ExitCode.DRAINED
    assert simulation.states() == {"a": "queued"}


def test_below_the_floor_nothing_is_started_until_there_is_room(simulate: Simulate) -> None:
    simulation = simulate([make_job("a")], CpuPool(1))
    simulation.free_bytes = 2**29
    for _ in range(10):
        simulation.tick()
    assert simulation.started() == []
    assert "--keep-free-gb" in simulation.farm.waiting_for()["the disk"]
    simulation.free_bytes = 2**31
    simulation.run()
    assert simulation.states() == {"a": "done"}
    told = [str(event) for event in simulation.events[:2]]
    assert told[0].startswith("the disk: less than 1.0 GiB are free")
    assert told[1] == "the disk: there is room again"
    assert len([event for event in simulation.events if not event.job]) == 2


def test_decoded_pictures_make_room_where_the_disk_is_full(simulate: Simulate) -> None:
    simulation = simulate([make_job("a")], CpuPool(1))
    decoded = simulation.workspace.cached_pictures("some")
    decoded.parent.mkdir(parents=True)
    decoded.write_bytes(b"pixels")
    simulation.tick()
    assert decoded.exists()

    simulation.free_bytes = 2**29
    simulation.tick()

    assert not decoded.exists()


def test_a_trainer_that_found_the_disk_full_goes_on_later_and_uses_up_no_try(
    simulate: Simulate,
) -> None:
    simulation = simulate([make_job("a", retries="0"), make_job("b")], CpuPool(1))
    simulation.outcomes["a"] = [Outcome(code=ExitCode.DISK_FULL, frames=4) for _ in range(5)]
    simulation.run(ticks=2000)
    assert simulation.states() == {"a": "done", "b": "done"}
    assert simulation.started() == ["a"] * 6 + ["b"]
    assert simulation.now > 1000 + FULL_SECONDS * (1 + 2 + 4 + 8 + 16)
    row = simulation.store.job("a")
    assert row is not None
    assert row.attempts == 1


def test_a_full_disk_at_the_start_of_a_job_is_waited_for(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulation = simulate([make_job("a", retries="0")], CpuPool(1))
    with monkeypatch.context() as patch:
        full = OSError(errno.ENOSPC, "No space left on device")
        patch.setattr(JobFile, "save", Mock(side_effect=full))
        for _ in range(100):
            simulation.tick()
    assert simulation.states() == {"a": "queued"}
    simulation.run()
    assert simulation.states() == {"a": "done"}


def test_states_that_cannot_be_written_do_not_end_the_night(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulation = simulate([make_job("a")], CpuPool(1))
    with monkeypatch.context() as patch:
        full = sqlite3.OperationalError("database or disk is full")
        patch.setattr(simulation.store, "save", Mock(side_effect=full))
        simulation.tick(seconds=5)
        simulation.tick()
    assert simulation.states() == {"a": "queued"}
    simulation.run()
    assert simulation.states() == {"a": "done"}
    told = [str(event) for event in simulation.events if not event.job]
    assert told == [
        "states of jobs: they cannot be written (database or disk is full); the jobs go on",
        "states of jobs: they are written again",
    ]


def test_a_lost_gpu_sends_its_job_elsewhere(
    simulate: Simulate, driver: FakeDriver, gpu_pool: GpuPool
) -> None:
    simulation = simulate([make_job("a", retries="0")], gpu_pool)
    simulation.outcomes["a"] = [Outcome(seconds=1e9)]
    simulation.tick()
    lost = simulation.launches[0].environment["CUDA_VISIBLE_DEVICES"]
    driver.devices = [gpu for gpu in driver.devices if gpu.uuid != lost]
    simulation.run()
    assert simulation.trainers[0].signalled == -9
    assert simulation.states() == {"a": "done"}
    assert simulation.launches[1].environment["CUDA_VISIBLE_DEVICES"] != lost


def test_a_broken_gpu_is_left_to_last_and_its_job_goes_elsewhere(
    simulate: Simulate, gpu_pool: GpuPool
) -> None:
    simulation = simulate([make_job("a", retries="0"), make_job("b", gpus="4")], gpu_pool)
    told = {"kind": "device", "reason": "an uncorrectable error of its memory"}
    simulation.outcomes["a"] = [Outcome(code=1, seconds=1, frames=0, failure=told)]
    for _ in range(5):
        simulation.tick()
    first, second = (launch.environment["CUDA_VISIBLE_DEVICES"] for launch in simulation.launches)
    assert first != second
    assert simulation.started() == ["a", "a"]


def test_the_same_fault_everywhere_ends_the_job(
    simulate: Simulate, driver: FakeDriver, workspace: Workspace
) -> None:
    pool = GpuPool(driver, driver.gpus()[:2], workspace.root / "leases")
    simulation = simulate([make_job("a", retries="1")], pool)
    told = {"kind": "device", "reason": "TensorFlow sees no GPU"}
    simulation.outcomes["a"] = [Outcome(code=1, frames=0, failure=told) for _ in range(20)]
    simulation.run()
    assert simulation.states() == {"a": "failed"}
    assert len(simulation.started()) < 6


def test_changed_pictures_are_final(simulate: Simulate) -> None:
    simulation = simulate([make_job("a")], CpuPool(1))
    told = {"kind": "pictures_changed", "reason": "399 now, 400 then"}
    simulation.outcomes["a"] = [Outcome(code=1, failure=told)]
    simulation.run()
    assert simulation.started() == ["a"]
    assert simulation.states() == {"a": "failed"}


def test_a_job_file_that_is_damaged_while_the_farm_works_costs_nothing(
    simulate: Simulate, workspace: Workspace
) -> None:
    """The farm knows its jobs by heart."""
    job = make_job("a", retries="0")
    simulation = simulate([job], CpuPool(1))
    simulation.outcomes["a"] = [Outcome(code=1, seconds=1, frames=0), Outcome(seconds=50)]
    simulation.tick()
    paths = workspace.job("a")
    paths.job_file.write_text("")  # which the trainer fails for
    while len(simulation.trainers) < 2:
        simulation.tick()
    paths.job_file.write_text("")  # which the render worker gives the job up for
    paths.render_failure.write_text('{"kind": "error", "reason": "job.yaml is damaged"}')
    simulation.workers[0].jobs.remove("a")
    while simulation.states() != {"a": "rendering"}:
        simulation.tick()
    paths.job_file.unlink()  # without which no job counts as done

    simulation.run()

    assert simulation.states() == {"a": "done"}
    assert job.is_saved(paths)

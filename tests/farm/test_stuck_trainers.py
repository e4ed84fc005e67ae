"""Trainers that do no step any more, in virtual time."""

from __future__ import annotations

from jobs.errors import ExitCode
from jobs.workspace.paths import CheckpointName, JobPaths, Workspace
from multitrain.farm.events import Happening
from multitrain.slots.cpu import CpuPool
from tests.farm.simulation import Outcome, Simulate, make_job


def leave_checkpoint(paths: JobPaths, frame: int) -> None:
    paths.checkpoints.mkdir(parents=True, exist_ok=True)
    paths.checkpoint(CheckpointName(frame // 2, frame)).touch()


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


def test_a_trainer_that_does_not_drain_is_ended_in_the_end(simulate: Simulate) -> None:
    simulation = simulate([make_job("a", stall_minutes="1")], CpuPool(1))
    simulation.outcomes["a"] = [Outcome(seconds=1e9, drains=False)]
    simulation.tick()
    simulation.farm.drain()
    simulation.run()
    assert simulation.now < 1000 + 60 * 3 + 10
    assert simulation.farm.exit_code == ExitCode.DRAINED
    assert simulation.states() == {"a": "queued"}

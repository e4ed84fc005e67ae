"""What else breaks in a night, in virtual time: no GPU, no process, no second of waiting."""

from __future__ import annotations

from jobs.workspace.paths import CheckpointName, Workspace
from multitrain.farm.events import Happening
from multitrain.slots.cpu import CpuPool
from render.spool.spool import locked
from tests.farm.simulation import Outcome, Simulate, make_job


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


def test_a_render_worker_that_holds_a_lock_for_ever_does_not_hold_up_the_farm(
    simulate: Simulate, workspace: Workspace
) -> None:
    simulation = simulate([make_job("a", retries="0")], CpuPool(1))
    simulation.outcomes["a"] = [Outcome(code=1, frames=0)]
    simulation.tick()
    with locked(workspace.job("a")):
        simulation.run()
    assert simulation.states() == {"a": "failed"}


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

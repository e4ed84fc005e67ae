"""Jobs that are trained and for which there is nothing to render: in virtual time."""

from __future__ import annotations

import pytest

from jobs.workspace.paths import JobPaths, Workspace
from multitrain.farm.stalls_and_retries import LOOK_SECONDS
from multitrain.slots.cpu import CpuPool
from tests.farm.simulation import Simulate, Simulation, make_job

JOB = make_job("a", stall_minutes="1", use_checkpoints="no")
FIRST, SECOND = JOB.plan.batches()  # 180 frames each
TRAINED_AFTER = 20.0  # seconds


@pytest.fixture
def trained(simulate: Simulate) -> Simulation:
    """Its frames have been told of; the render worker makes nothing."""
    simulation = simulate([JOB], CpuPool(1))
    simulation.slow_films.add("a")
    wait(simulation, TRAINED_AFTER)
    assert simulation.states() == {"a": "rendering"}
    return simulation


def wait(simulation: Simulation, seconds: float) -> None:
    until = simulation.now + seconds
    while simulation.now < until:
        simulation.tick()


def lies_there(paths: JobPaths, *names: str) -> None:
    for name in names:
        file = paths.run / name
        file.parent.mkdir(exist_ok=True)
        file.touch()


def test_a_rendering_with_nothing_to_do_fails_after_stall_minutes(
    trained: Simulation, workspace: Workspace
) -> None:
    lies_there(workspace.job("a"), f"segments/{FIRST}.mp4")
    wait(trained, 50)
    assert trained.states() == {"a": "rendering"}
    wait(trained, 20 + LOOK_SECONDS)
    assert trained.states() == {"a": "failed"}
    [row] = trained.store.jobs()
    told = "nothing to render for 1 minutes (stall_minutes), though frames 180 to 359 are neither"
    assert row.error.startswith(told)


@pytest.mark.parametrize(
    "names",
    [[f"spool/{FIRST}.rgb"], [f"segments/{FIRST}.mp4", f"segments/{SECOND}.mp4"]],
    ids=["a batch to encode", "a film to join"],
)
def test_what_is_due_is_waited_for(
    trained: Simulation, workspace: Workspace, names: list[str]
) -> None:
    lies_there(workspace.job("a"), *names)
    wait(trained, 600)
    assert trained.states() == {"a": "rendering"}
    trained.slow_films.clear()
    trained.run()
    assert trained.states() == {"a": "done"}


def test_a_workspace_that_is_away_and_a_machine_that_sleeps_are_no_stall(
    trained: Simulation, workspace: Workspace
) -> None:
    paths = workspace.job("a")
    trained.now += 3600
    wait(trained, 30)
    away = paths.run.rename(workspace.root / "away")
    wait(trained, 100)
    away.rename(paths.run)
    wait(trained, 50)
    assert trained.states() == {"a": "rendering"}
    trained.now += 3600
    wait(trained, 5)
    assert trained.states() == {"a": "rendering"}


def test_a_walk_that_nobody_draws_is_named(simulate: Simulate, workspace: Workspace) -> None:
    job = make_job("a", stall_minutes="1", use_checkpoints="no", loops="walk(frames=9)")
    simulation = simulate([job], CpuPool(1))
    simulation.slow_films.add("a")
    wait(simulation, TRAINED_AFTER)
    paths = workspace.job("a")
    lies_there(paths, *(f"segments/{batch}.mp4" for batch in job.plan.batches()))
    for output in (paths.film(), paths.timecut(1)):
        output.parent.mkdir(exist_ok=True)
        output.touch()
    paths.made_folder.mkdir()
    paths.made(paths.film()).write_text("film")
    pictures = paths.workspace.renders / "a.jpg"
    paths.made(pictures).write_text("poster and contact sheet")
    wait(simulation, 70 + LOOK_SECONDS)
    [row] = simulation.store.jobs()
    assert "though nobody makes loop 1: walk(" in row.error

"""Fixtures of the farm's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from jobs.workspace.store import Store
from multitrain.slots.cpu import CpuPool
from multitrain.slots.gpus import GpuPool
from tests.farm.done_job import Done
from tests.farm.simulation import FakeDriver, Outcome, Simulate, Simulation, make_gpus, make_job
from tests.farm.steered import LONG, Steered


@pytest.fixture
def simulate(workspace: Workspace) -> Iterator[Simulate]:
    """`simulate(jobs, pool)` makes a simulation in `workspace`, closed after the test."""
    made: list[Simulation] = []

    def make(jobs, pool):
        made.append(Simulation(workspace, jobs, pool))
        return made[-1]

    yield make
    for simulation in made:
        simulation.store.close()


@pytest.fixture
def steer(simulate: Simulate):
    """`steer(*names, slots=1, jobs=())`: a farm at work on jobs that take long."""

    def begin(*names: str, slots: int = 1, jobs: tuple[JobFile, ...] = ()) -> Steered:
        simulation = simulate([*map(make_job, names), *jobs], CpuPool(slots))
        for job in simulation.jobs:
            simulation.outcomes[job.spec.name] = [Outcome(seconds=LONG)]
        simulation.tick()
        return Steered(simulation)

    return begin


@pytest.fixture
def driver() -> FakeDriver:
    return FakeDriver(make_gpus(4))


@pytest.fixture
def gpu_pool(driver: FakeDriver, workspace: Workspace) -> GpuPool:
    return GpuPool(driver, driver.gpus(), workspace.root / "leases")


@pytest.fixture
def store(workspace: Workspace) -> Iterator[Store]:
    store = Store(workspace.store)
    yield store
    store.close()


@pytest.fixture
def done(workspace: Workspace, store: Store) -> Callable[..., Done]:
    """`done(**cells)`: the job "a"."""
    return lambda **cells: Done(workspace, store, make_job("a", **cells))

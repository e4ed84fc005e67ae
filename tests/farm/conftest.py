"""Fixtures of the farm's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from simulation import FakeDriver, Simulate, Simulation, make_gpus

from jobs.paths import Workspace
from multitrain.gpus import GpuPool


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
def driver() -> FakeDriver:
    return FakeDriver(make_gpus(4))


@pytest.fixture
def gpu_pool(driver: FakeDriver, workspace: Workspace) -> GpuPool:
    return GpuPool(driver, driver.gpus(), workspace.root / "leases")

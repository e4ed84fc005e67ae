"""Fixtures of the farm's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from simulation import Simulate, Simulation

from jobs.paths import Workspace


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

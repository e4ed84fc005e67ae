"""A farm of a simulation, and what is asked of it while it works."""

from __future__ import annotations

from pathlib import Path

from jobs.workspace import requests
from jobs.workspace.jobfile import JobFile
from jobs.workspace.requests import Answer, Order, Request
from tests.farm.simulation import Simulation

LONG = 1e6  # seconds


class Steered:
    """A simulation and what is asked of it."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation

    def ask(self, order: str, *names: str, **what: object) -> Answer:
        """Send a request; one tick later it is answered."""
        path = self.send(order, *names, **what)
        self.simulation.tick()
        answer = requests.read_answer(path)
        assert answer, "it was not answered"
        return answer

    def send(self, order: str, *names: str, **what: object) -> Path:
        request = Request.new(Order(order), names=names, **what)
        return requests.send(self.simulation.workspace, request)

    def submit(self, *jobs: JobFile) -> Answer:
        self.simulation.jobs += jobs
        return self.ask("submit", jobs=jobs)

    def states(self) -> dict[str, str]:
        return self.simulation.states()

    def tick(self, times: int = 2) -> None:
        for _ in range(times):
            self.simulation.tick()

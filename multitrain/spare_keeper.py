"""Keeps a spare trainer warm: importing a framework takes seconds in which a slot would idle."""

from __future__ import annotations

from collections.abc import Sequence

from jobs.errors import MultitrainError
from multitrain.ending import Ending
from multitrain.executors import Executor, Launch, Process
from multitrain.executors.spare import Spare
from multitrain.in_hand import JobInHand
from multitrain.launching import UNBUFFERED, TrainerSettings, imports_of
from multitrain.preparation import Prospect

DEATHS = 3  # in a row before any was used: a cold start tells what is wrong
PAUSE_SECONDS = 30.0  # after a death


class SpareKeeper:
    """An `Executor` of trainers, and the `Preparation` that makes it quick.

    There is at most one spare, for the next job that needs a framework. It is only ever a gain:
    where it does not fit, is not warm yet or has died, a trainer is started cold.
    """

    def __init__(self, executor: Executor, settings: TrainerSettings) -> None:
        self._executor, self._settings = executor, settings
        self._spare: Spare | None = None
        self._ending = Ending()
        self._deaths = 0
        self._not_before = self._looked_at = float("-inf")

    def start(self, launch: Launch) -> Process:
        """As an `Executor` does."""
        if self._spare and self._spare.fits(launch) and self._spare.is_ready:
            spare, self._spare = self._spare, None
            if process := spare.take(launch):
                self._deaths = 0
                return process
            self._ending.add(spare.end(), self._looked_at)
            self._count_death(self._looked_at)
        return self._executor.start(launch)

    def prepare(self, prospect: Prospect, now: float) -> None:
        """Have a spare for the next job; none where no job is queued that would need it."""
        self._looked_at = now
        self._ending.is_over(now)
        wanted = _next_environment(prospect.queued)
        if self._spare and self._spare.environment != wanted:
            self._drop(now)
        elif self._spare and self._spare.is_dead:
            self._drop(now)
            self._count_death(now)
        if wanted and not self._spare and prospect.is_calm and now >= self._not_before:
            self._warm_up(wanted, now)

    def end(self, now: float) -> None:
        if self._spare:
            self._drop(now)

    def is_idle(self, now: float) -> bool:
        return self._spare is None and self._ending.is_over(now)

    def _warm_up(self, environment: dict[str, str], now: float) -> None:
        lifeline = [self._settings.lifeline]
        try:
            self._spare = Spare(self._executor, self._settings.command, environment, lifeline)
        except (MultitrainError, OSError):
            self._count_death(now)

    def _drop(self, now: float) -> None:
        assert self._spare is not None
        self._ending.add(self._spare.end(), now)
        self._spare = None

    def _count_death(self, now: float) -> None:
        self._deaths += 1
        gives_up = self._deaths >= DEATHS
        self._not_before = float("inf") if gives_up else now + PAUSE_SECONDS


def _next_environment(queued: Sequence[JobInHand]) -> dict[str, str]:
    """That of the first job that needs a framework; empty where none does."""
    imports = next(filter(None, (imports_of(job.file) for job in queued)), {})
    return imports and {**UNBUFFERED, **imports}

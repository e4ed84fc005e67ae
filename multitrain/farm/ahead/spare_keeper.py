"""Keeps a spare trainer warm: importing a framework takes seconds in which a slot would idle."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from itertools import islice

from jobs.errors import MultitrainError
from multitrain.executors import Executor, Process
from multitrain.farm.active_job import ActiveJob
from multitrain.farm.ahead.ending import Ending
from multitrain.farm.ahead.preparation import Prospect
from multitrain.farm.ahead.spare import Spare
from multitrain.farm.launching import TrainerLaunch, TrainerSettings, imports_of
from multitrain.slots.slots import Lease

DEATHS = 3  # in a row before any was used: a cold start then reports what is wrong
PAUSE_SECONDS = 30.0  # after a death
SOON = 50  # jobs at the front of the queue, of which the first that can use a spare gets it


class SpareKeeper:
    """An `Executor` of trainers, and the `Preparation` that makes it quick.

    There is at most one spare, for the next job that needs a framework. Where all slots are alike,
    it also rehearses that job: builds its networks and traces its step. It is only ever a gain:
    where it does not fit, is not warm yet or has died, a trainer is started cold.
    """

    def __init__(
        self, executor: Executor, settings: TrainerSettings, example: Lease | None = None
    ) -> None:
        """`example` is like any lease of one slot, but for the numbers of its cores."""
        self._executor, self._settings, self._example = executor, settings, example
        self._spare: Spare | None = None
        self._ending = Ending()
        self._deaths = 0  # of spares with one environment
        self._deadly: Mapping[str, str] = {}
        self._not_before = self._looked_at = float("-inf")

    def start(self, launch: TrainerLaunch) -> Process:
        """Start a trainer, as an `Executor` does: on the spare, if that fits."""
        if self._spare and self._spare.fits(launch) and self._spare.is_ready:
            spare, self._spare = self._spare, None
            if process := spare.take(launch):
                self._deaths = 0
                return process
            self._ending.add(spare.end(), self._looked_at)
            self._count_death(spare.environment, self._looked_at)
        return self._executor.start(launch)

    def prepare(self, prospect: Prospect, now: float) -> None:
        """Have a spare for the next job; none where no job is queued that would need it."""
        self._looked_at = now
        self._ending.is_over(now)
        soon = islice(prospect.queued, SOON)
        job = next((job for job in soon if _may_take_a_spare(job, now)), None)
        if self._spare and (job is None or not self._serves(self._spare, job)):
            self._drop(now)
        elif self._spare and self._spare.is_dead:
            self._count_death(self._spare.environment, now)
            self._drop(now)
        if not job or not prospect.is_calm:
            return
        if not self._spare:
            self._warm_up(job, now)
        elif self._spare.is_ready and not self._spare.rehearses:
            self._have_rehearsed(self._spare, job)

    def end(self, now: float) -> None:
        if self._spare:
            self._drop(now)

    def is_idle(self, now: float) -> bool:
        return self._spare is None and self._ending.is_over(now)

    def _serves(self, spare: Spare, job: ActiveJob) -> bool:
        return spare.environment == imports_of(job.file) and (
            not spare.rehearses or spare.fits(self._example_of(job))
        )

    def _warm_up(self, job: ActiveJob, now: float) -> None:
        lifeline = [self._settings.lifeline]
        environment = imports_of(job.file)
        if environment == self._deadly and now < self._not_before:
            return
        try:
            self._spare = Spare(self._executor, self._settings.program, environment, lifeline)
        except (MultitrainError, OSError):
            self._count_death(environment, now)

    def _have_rehearsed(self, spare: Spare, job: ActiveJob) -> None:
        if self._example is None or job.file.spec.gpus > 1:
            return
        with suppress(OSError):
            job.file.save(job.paths)  # the spare reads there what to rehearse
            spare.rehearse(self._example_of(job))

    def _example_of(self, job: ActiveJob) -> TrainerLaunch:
        assert self._example is not None
        return self._settings.launch(job.file, job.paths, self._example)

    def _drop(self, now: float) -> None:
        assert self._spare is not None
        self._ending.add(self._spare.end(), now)
        self._spare = None

    def _count_death(self, environment: Mapping[str, str], now: float) -> None:
        if environment != self._deadly:
            self._deadly, self._deaths = environment, 0
        self._deaths += 1
        gives_up = self._deaths >= DEATHS
        self._not_before = float("inf") if gives_up else now + PAUSE_SECONDS


def _may_take_a_spare(job: ActiveJob, now: float) -> bool:
    return bool(imports_of(job.file)) and job.tries.may_start(now)

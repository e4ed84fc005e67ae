"""How long the farm's jobs and the whole night will still take."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from jobs.workspace.farm_state import left_in_words
from jobs.workspace.states import State
from multitrain.farm.active_job import ActiveJob
from multitrain.farm.job_table import JobTable
from multitrain.farm.speed_records import SpeedRecorder, measured
from multitrain.forecasts.forecasting import (
    NOTHING,
    SPREAD,
    Forecast,
    Forecaster,
    JobForecast,
    night,
)
from multitrain.forecasts.speeds import Speed
from multitrain.slots.slots import Pool

LOOK_SECONDS = 1.0  # between two looks at all jobs, at least
LOOK_SHARE = 100  # times as long as the last one took, at least
LONGEST_PAUSE = 30.0  # whatever the last one took


@dataclass(frozen=True)
class NightLeft:
    """The time until the last film is done, not counting `unknown` jobs without a forecast."""

    whole: Forecast = NOTHING
    unknown: int = 0
    jobs: Mapping[str, Forecast] = field(default_factory=dict)

    def __str__(self) -> str:
        """A clause for people; empty where nothing is known, or less than a second is left."""
        return left_in_words(self.whole.seconds, self.unknown)


class TimeLeft:
    """Forecasts for a farm, which looks at them in each tick."""

    def __init__(
        self,
        table: JobTable,
        pool: Pool,
        recorder: SpeedRecorder,
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._table, self._pool, self._recorder = table, pool, recorder
        self._stopwatch = stopwatch
        self._not_before = float("-inf")
        self.night = NightLeft()

    def look(self, now: float) -> None:
        """Forecast anew, if that is due. It takes a hundredth of the time at most."""
        if now < self._not_before:
            return
        begun = self._stopwatch()
        in_order = self._table.in_state(State.RENDERING, State.RUNNING, State.QUEUED)
        in_order.sort(key=lambda job: job.state is State.QUEUED)
        shown = {
            job.name: speed
            for job in in_order
            if job.trying and (speed := measured(job, job.trying))
        }
        speeds = [*self._recorder.speeds, *shown.values()]
        forecaster = Forecaster(speeds, self._pool.model)
        left = {job.name: self._of(job, forecaster, shown.get(job.name), now) for job in in_order}
        whole, unknown = night(left.values(), self._pool.usable())
        jobs = {name: forecast.whole for name, forecast in left.items() if forecast}
        self.night = NightLeft(whole, unknown, jobs)
        pause = LOOK_SHARE * (self._stopwatch() - begun)
        self._not_before = now + max(LOOK_SECONDS, min(pause, LONGEST_PAUSE))

    def _of(
        self, job: ActiveJob, forecaster: Forecaster, speed: Speed | None, now: float
    ) -> JobForecast | None:
        has_trained = job.state is State.RENDERING
        steps = job.file.plan.steps_total if has_trained else job.steps_done
        step = Forecast(speed.step_seconds, SPREAD) if speed else None
        known = forecaster.job(job.file, steps, step)
        since = self._recorder.rendering_since(job)
        if known is None or since is None:
            return known
        left = max(0.0, known.finishing.seconds - (now - since))
        return replace(known, finishing=replace(known.finishing, seconds=left))

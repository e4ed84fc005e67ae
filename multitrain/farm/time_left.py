"""How long the farm's jobs and the whole night will still take; also kept in `runs/farm.json`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace

from jobs.reading import read_json
from jobs.units import duration
from jobs.workspace.files import write_text
from jobs.workspace.paths import Workspace
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
MOST_SECONDS = 1e10  # larger forecasts are not believed
STALE_SECONDS = 2 * LONGEST_PAUSE  # a forecast that is older is not believed


@dataclass(frozen=True)
class NightLeft:
    """The time until the last film is done, not counting `unknown` jobs without a forecast."""

    whole: Forecast = NOTHING
    unknown: int = 0
    jobs: Mapping[str, Forecast] = field(default_factory=dict)

    def __str__(self) -> str:
        """A clause for people; empty where nothing is known, or less than a second is left."""
        if self.whole.seconds < 1:
            return ""
        text = f"about {duration(self.whole.seconds)} left"
        jobs = "1 job" if self.unknown == 1 else f"{self.unknown} jobs"
        return f"{text}, and {jobs} of which nothing is known" if self.unknown else text


class TimeLeft:
    """Forecasts for a farm, which looks at them in each tick."""

    def __init__(
        self,
        workspace: Workspace,
        table: JobTable,
        pool: Pool,
        recorder: SpeedRecorder,
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._workspace = workspace
        self._table, self._pool, self._recorder = table, pool, recorder
        self._stopwatch = stopwatch
        self._not_before = float("-inf")
        self.night = NightLeft()

    def look(self, now: float) -> None:
        """Forecast anew and write it, if that is due. It takes a hundredth of the time at most."""
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
        with suppress(OSError):  # `status` then shows less
            tell(self._workspace, self.night)
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


def tell(workspace: Workspace, left: NightLeft) -> None:
    """Write the forecast for `told_by_farm`. OSError where that is impossible."""
    jobs = {name: _plain(each) for name, each in left.jobs.items()}
    whole = _plain(left.whole)
    content = {"time": time.time(), "night": whole, "unknown": left.unknown, "jobs": jobs}
    write_text(workspace.farm_state, json.dumps(content), flush=False)


def told_by_farm(workspace: Workspace, wall: Callable[[], float] = time.time) -> NightLeft | None:
    """The last forecast of a farm that runs here; None where there is none, or it is too old."""
    try:
        content = read_json(workspace.farm_state, dict)
        if not 0 <= wall() - content["time"] <= STALE_SECONDS:
            return None
        jobs = {str(name): _forecast(each) for name, each in content["jobs"].items()}
        return NightLeft(_forecast(content["night"]), int(content["unknown"]), jobs)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None


def _plain(forecast: Forecast) -> dict[str, float]:
    return {name: round(value, 2) for name, value in asdict(forecast).items()}


def _forecast(values: Mapping[str, float]) -> Forecast:
    seconds, spread = float(values["seconds"]), float(values["spread"])
    if not (0 <= seconds <= MOST_SECONDS and 0 <= spread <= MOST_SECONDS):
        raise ValueError("no forecast")
    return Forecast(seconds, spread)

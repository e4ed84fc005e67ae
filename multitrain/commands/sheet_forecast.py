"""How long a sheet's jobs will take, from where they stand in their workspace."""

from __future__ import annotations

from collections.abc import Sequence

from jobs.units import duration
from jobs.workspace.paths import Workspace
from multitrain.farm.entries import Action, Entry
from multitrain.forecasts.forecasting import Forecast, Forecaster, JobForecast, night
from render.films.extent import frames_made, steps_made

UNKNOWN = "?"


class SheetForecast:
    """Forecasts for the entries that have work left."""

    def __init__(
        self, workspace: Workspace, entries: Sequence[Entry], forecaster: Forecaster, slots: int
    ) -> None:
        self._jobs = [_of(workspace, entry, forecaster) for entry in entries]
        self._due = [is_due(entry) for entry in entries]
        left = [job for job, due in zip(self._jobs, self._due, strict=True) if due]
        self._night, self.unknown = night(left, slots)

    @property
    def times(self) -> list[str]:
        """A cell for each entry: `0:12:30 ±10 %`; empty where nothing is left to do."""
        pairs = zip(self.whole, self._due, strict=True)
        return [for_people(forecast) if due else "" for forecast, due in pairs]

    @property
    def whole(self) -> list[Forecast | None]:
        """What is left of each entry; None where nothing is left or nothing is known."""
        return [job.whole if job else None for job in self._jobs]

    @property
    def night(self) -> str:
        """The forecast for all entries together, on all slots; empty where nothing is left."""
        return for_people(self._night) if self._night.seconds else ""


def for_people(forecast: Forecast | None) -> str:
    """`0:12:30 ±10 %`, `?`."""
    if forecast is None:
        return UNKNOWN
    return f"{duration(forecast.seconds)} ±{100 * forecast.spread:.0f} %"


def is_due(entry: Entry) -> bool:
    """Whether anything of it is left to do."""
    return entry.action not in (Action.STAY, Action.FAIL)


def _of(workspace: Workspace, entry: Entry, forecaster: Forecaster) -> JobForecast | None:
    if not is_due(entry):
        return None
    done = 0
    match entry.action:
        case Action.GO_ON:
            paths, plan = workspace.job(entry.job.spec.name), entry.job.plan
            done = steps_made(paths, plan, frames_made(paths, plan))
        case Action.LENGTHEN if entry.before:
            done = entry.before.plan.steps_total
        case Action.REOPEN:
            done = entry.job.plan.steps_total
    return forecaster.job(entry.job, done)

"""What the farm knows, told to others once a second in `runs/farm.json`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict

from jobs.reading import escaped
from jobs.workspace.disk import free_bytes
from jobs.workspace.farm_state import MOST_SECONDS, Disk, FarmState, Left, SlotState, publish
from jobs.workspace.paths import Workspace
from jobs.workspace.states import State
from multitrain.farm.job_table import JobTable
from multitrain.farm.launching import TrainerSettings
from multitrain.farm.time_left import NightLeft
from multitrain.forecasts.forecasting import Forecast
from multitrain.slots.slots import Pool
from render.spool.spool import spooled_bytes

EVERY_SECONDS = 1.0
SHARE = 100  # times as long as the last one took, at least, until the next one
LONGEST_PAUSE = 30.0


class Publishing:
    """Writes the state of a farm, and takes a hundredth of the time at most."""

    def __init__(
        self,
        workspace: Workspace,
        table: JobTable,
        pool: Pool,
        settings: TrainerSettings,
        stopwatch: Callable[[], float] = time.perf_counter,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._workspace, self._table, self._pool = workspace, table, pool
        self._settings, self._stopwatch, self._wall = settings, stopwatch, wall
        self._since = wall()
        self._not_before = float("-inf")

    def look(
        self,
        night: NightLeft,
        waiting: Callable[[], Mapping[str, str]],
        now: float,
        *,
        is_draining: bool,
    ) -> None:
        """Write how the farm stands, if that is due."""
        if now < self._not_before:
            return
        begun = self._stopwatch()
        with suppress(OSError, ValueError):  # `status` then shows less
            publish(self._workspace, self._state(night, waiting(), is_draining=is_draining))
        pause = SHARE * (self._stopwatch() - begun)
        self._not_before = now + max(EVERY_SECONDS, min(pause, LONGEST_PAUSE))

    def _state(
        self, night: NightLeft, waiting: Mapping[str, str], *, is_draining: bool
    ) -> FarmState:
        at_work = self._table.at_work()
        holders = {slot: job.name for job, trying in at_work for slot in trying.lease.slots}
        obstacles = self._pool.busy_reasons()
        slots = [
            SlotState(
                label=slot.label,
                model=slot.model,
                job=holders.get(slot, ""),
                obstacle=obstacles.get(slot.label, ""),
                **asdict(self._pool.reading(slot)),
            )
            for slot in self._pool.slots
        ]
        active = [*self._table.in_state(State.RENDERING), *(job for job, _ in at_work)]
        disk = Disk(
            free=free_bytes(self._workspace.root),
            keep_free=self._settings.keep_free_bytes,
            spool=sum(spooled_bytes(job.paths) for job in active),
            spool_share=self._settings.spool_bytes,
        )
        return FarmState(
            time=self._wall(),
            since=self._since,
            is_draining=is_draining,
            night=_left(night.whole),
            unknown=night.unknown,
            jobs={name: _left(each) for name, each in night.jobs.items()},
            slots=tuple(slots),
            waiting={escaped(what): escaped(why) for what, why in waiting.items()},
            stopping=tuple(job.name for job, _ in at_work if job.state is not State.RUNNING),
            disk=disk,
        )


def _left(forecast: Forecast) -> Left:
    seconds = min(forecast.seconds, MOST_SECONDS)
    return Left(seconds=round(seconds, 2), spread=round(min(forecast.spread, MOST_SECONDS), 2))

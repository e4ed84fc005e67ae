"""What the farm learns of the speed of its jobs, kept for forecasts."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from jobs.workspace.paths import Workspace
from jobs.workspace.states import State
from multitrain.farm.active_job import ActiveJob, Try
from multitrain.forecasts.forecasting import FINISH_SECONDS, megapixels
from multitrain.forecasts.memory import picture_bytes
from multitrain.forecasts.speeds import Cost, Speed, add_speeds

FEWEST_STEPS = 4
LEAST_SECONDS = 2.0  # timed steps of a shorter time say nothing
FEWEST_MEGAPIXELS = 30.0  # finishing a smaller film says nothing


class SpeedRecorder:
    """Writes down how fast each try was; `speeds` is what is known so far."""

    def __init__(self, workspace: Workspace, speeds: list[Speed]) -> None:
        self.speeds = speeds
        self._path = workspace.speeds
        self._trained: dict[str, tuple[Speed, float]] = {}  # by job, when it was trained

    def ended(self, job: ActiveJob, trying: Try, now: float) -> None:
        """Note the speed of a try that ended at `now`; the job's state has been changed already."""
        speed = measured(job, trying, least=0.0)
        if speed is None:
            return
        self.speeds.append(speed)
        if job.state is State.RENDERING:
            self._trained[job.name] = speed, now
        else:
            self._keep(speed)

    def settled(self, job: ActiveJob, now: float) -> None:
        """Note how long the film took, now that the job is done or has failed."""
        speed, trained_at = self._trained.pop(job.name, (None, 0.0))
        if speed is None:
            return
        size = megapixels(job.file)
        if job.state is State.DONE and size >= FEWEST_MEGAPIXELS:
            seconds = max(0.0, now - trained_at - FINISH_SECONDS)
            whole = replace(speed, finish_seconds=seconds / size)
            self.speeds[self.speeds.index(speed)] = speed = whole
        self._keep(speed)

    def rendering_since(self, job: ActiveJob) -> float | None:
        """When the job's training was over; None where this farm has not seen it."""
        known = self._trained.get(job.name)
        return known[1] if known else None

    def close(self) -> None:
        """Keep what is known of jobs whose films another farm will finish."""
        while self._trained:
            self._keep(self._trained.popitem()[1][0])

    def _keep(self, speed: Speed) -> None:
        with suppress(OSError):  # forecasts are then less sure
            add_speeds(self._path, [speed])


def measured(job: ActiveJob, trying: Try, least: float = LEAST_SECONDS) -> Speed | None:
    """How fast a try is; None where too little was seen of it: fewer seconds than `least`, say."""
    first, last = trying.first_progress, trying.last_trained
    if first is None or last is None:
        return None
    # Waiting for a disk that others have filled says nothing of the next night.
    seconds = last.time - first.time - (last.waited - first.waited)
    steps = last.step - first.step
    if steps < FEWEST_STEPS or seconds <= 0 or seconds < least:
        return None
    return Speed(
        device=trying.lease.device,
        cost=Cost.of(job.file),
        steps=steps,
        step_seconds=seconds / steps,
        start_seconds=max(0.0, trying.first_at - trying.since),
        memory=trying.memory,
        picture_bytes=picture_bytes(job.file),
    )

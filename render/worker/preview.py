"""`latest.jpg` of a job, kept fresh."""

from __future__ import annotations

import logging

from jobs.plans.plan import FramePlan
from jobs.workspace.paths import JobPaths
from render.films.latest import NewestFrame, newest_frame, write_latest

LATEST_SECONDS = 3.0  # between two pictures

log = logging.getLogger(__name__)


class Preview:
    """Shows the newest frame as a picture. Its failures are logged and stop nothing."""

    def __init__(self, paths: JobPaths, plan: FramePlan) -> None:
        self._paths, self._plan = paths, plan
        self._shown: NewestFrame | None = None
        self._shown_at = float("-inf")
        self._has_failed = False

    def refresh(self, now: float) -> bool:
        """Show the newest frame if there is a new one and the last picture is old enough.

        Returns whether it tried; `now` is in seconds.
        """
        if now - self._shown_at < LATEST_SECONDS:
            return False
        try:
            newest = newest_frame(self._paths, self._plan)
            if newest is None or newest == self._shown:
                return False
            self._shown_at = now
            write_latest(self._paths, self._plan, newest)
        except OSError as error:
            if not self._has_failed:
                log.warning("%s: no new latest.jpg: %s", self._paths.name, error)
            self._has_failed = True
        else:
            self._shown, self._has_failed = newest, False
        return True

"""Offers a courier, again and again, what of a job is due to be sent."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from jobs.settings.spec import JobSpec
from jobs.workspace.paths import JobPaths
from render.delivery.courier import Courier
from render.delivery.targets import Target, arrived, backup_name, newest_checkpoint, targets_of

OFFER_SECONDS = 2.0  # between two looks at a job's files
BACKUP_SECONDS = 10.0  # between two looks at its checkpoints, once a backup is due

log = logging.getLogger(__name__)


class Offering:
    """Offers the files of jobs to a courier, and backups when their time has come."""

    def __init__(self, courier: Courier, wall: Callable[[], float] = time.time) -> None:
        self._courier, self._wall = courier, wall
        self._offers_at: dict[JobPaths, float] = {}
        self._backs_up_at: dict[tuple[JobPaths, Target], float] = {}
        self._troubles: dict[JobPaths, str] = {}

    def look(
        self,
        paths: JobPaths,
        spec: JobSpec,
        outputs: Callable[[], list[Path]],
        now: float,
        *,
        ended: bool,
    ) -> None:
        """Offer what is due. `ended`: the job is done, or the worker is about to end.

        `now` is in seconds of a clock that only goes forward. Trouble is logged and harms no job.
        """
        targets = targets_of(spec)
        if not targets or (now < self._offers_at.get(paths, now) and not ended):
            return
        self._offers_at[paths] = now + OFFER_SECONDS
        trouble = ""
        try:
            there = outputs()
            for target in targets:
                self._courier.offer(paths, target, there)
                if spec.backup_period:
                    self._courier.offer_kept(paths, target)
                if spec.backup_period and self._is_due(paths, target, spec, now, ended=ended):
                    self._courier.back_up(paths, target)
        except OSError as error:
            trouble = str(error)
            if trouble != self._troubles.get(paths):
                log.warning("%s: what is to be sent cannot be looked at: %s", paths.name, error)
        self._troubles[paths] = trouble

    def _is_due(
        self, paths: JobPaths, target: Target, spec: JobSpec, now: float, *, ended: bool
    ) -> bool:
        """Whether a backup is due; the first at once, which also proves that the way is open."""
        key, period = (paths, target), 60 * (spec.backup_period or 0.0)
        if key not in self._backs_up_at:
            self._backs_up_at[key] = now + max(0.0, period - self._age(paths, target))
        if now < self._backs_up_at[key] and not ended:
            return False
        newest = newest_checkpoint(paths)
        if not newest or arrived(paths, target, backup_name(paths)) == newest:
            self._backs_up_at[key] = now + BACKUP_SECONDS
            return False
        self._backs_up_at[key] = now + period
        return True

    def _age(self, paths: JobPaths, target: Target) -> float:
        """Seconds since the last backup arrived; infinite where none did."""
        marker = paths.delivered(backup_name(paths), target.key)
        try:
            return max(0.0, self._wall() - marker.stat().st_mtime)
        except FileNotFoundError:
            return float("inf")

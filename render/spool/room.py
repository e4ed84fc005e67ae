"""Room for what a training makes: its own budget, and how much must stay free on the disk."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from jobs.units import bytes_for_people
from jobs.workspace.disk import ENOUGH, free_bytes
from jobs.workspace.files import listing
from jobs.workspace.paths import JobPaths
from render.spool.spool import batches, spooled_bytes

SPOOL_IS_FULL = "the spool is full"


@dataclass(frozen=True)
class Room:
    """How much a job may keep on the disk before its training waits."""

    paths: JobPaths
    budget: int | None = None  # bytes of its spool and its checkpoints; None: as many as it takes
    keep_free: int = 0  # bytes that must stay free on the disk of its folder, whoever takes room
    free: Callable[[Path], int] = free_bytes

    def shortage(self, frame: int, *, coming: int = 0, waiting: bool = False) -> str | None:
        """Why a training that stands at `frame` is to wait; None where it may go on.

        `coming` are the bytes that it would write before it asks again: they must fit above the
        floor. Over its budget it waits only while a complete batch is there that a checkpoint at
        `frame` would let go: without one, no wait would ever end. `waiting` is whether it waits
        already.
        """
        if self._is_over_budget() and any(batch.stop <= frame for batch in batches(self.paths)):
            return SPOOL_IS_FULL
        floor = self.keep_free * (ENOUGH if waiting else 1)
        if floor and self.free(self.paths.run) - coming < floor:
            return f"less than {bytes_for_people(self.keep_free + coming)} are free on the disk"
        return None

    def above_floor(self) -> float:
        """Bytes that may be written before the disk is at its floor; infinite without a floor."""
        return self.free(self.paths.run) - self.keep_free if self.keep_free else math.inf

    def _is_over_budget(self) -> bool:
        return self.budget is not None and kept_bytes(self.paths) > self.budget


def kept_bytes(paths: JobPaths) -> int:
    """Bytes that count against a job's budget: its spool, all files of its checkpoints, and the
    weights that were best.
    """
    kept = spooled_bytes(paths)
    files = [paths.checkpoints / name for name in listing(paths.checkpoints)]
    for file in (*files, *map(paths.best_weights, paths.best_steps())):
        with suppress(FileNotFoundError):
            kept += file.stat().st_size
    return kept

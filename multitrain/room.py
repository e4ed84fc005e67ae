"""Room for what a training makes: a budget of its own, and what is to stay free on the disk."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from jobs.disk import free_bytes
from jobs.paths import JobPaths, listing
from render.spool import batches, spooled_bytes

ENOUGH = 1.1  # times the floor ends a wait, so that one does not follow the other


@dataclass(frozen=True)
class Room:
    """How much a job may keep on the disk before its training waits."""

    paths: JobPaths
    budget: int | None = None  # bytes of its spool and its checkpoints; None: as many as it takes
    keep_free: int = 0  # bytes on the disk of its folder, whoever takes them
    free: Callable[[Path], int] = free_bytes

    def shortage(self, frame: int, *, waiting: bool = False) -> str | None:
        """Why a training that stands at `frame` is to wait; None where it may go on.

        Over its budget it waits only while a complete batch is there that a checkpoint at `frame`
        would let go: without one, no wait would ever end. `waiting` is whether it waits already.
        """
        if self._is_over_budget() and any(batch.stop <= frame for batch in batches(self.paths)):
            return "the spool is full"
        floor = self.keep_free * (ENOUGH if waiting else 1)
        if floor and self.free(self.paths.run) < floor:
            return f"less than {self.keep_free / 2**30:.1f} GiB are free on the disk"
        return None

    def _is_over_budget(self) -> bool:
        return self.budget is not None and kept_bytes(self.paths) > self.budget


def kept_bytes(paths: JobPaths) -> int:
    """Bytes that count against a job's budget: its spool and its checkpoints, damaged ones too."""
    kept = spooled_bytes(paths)
    for name in listing(paths.checkpoints):
        with suppress(FileNotFoundError):
            kept += (paths.checkpoints / name).stat().st_size
    return kept

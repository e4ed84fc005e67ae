"""What the page knows of the workspace: read from its files, each only when it has changed."""

from __future__ import annotations

import os
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from jobs.secrets import hidden
from jobs.workspace import locks
from jobs.workspace.farm_state import NO_FARM, FarmState, read_farm_state
from jobs.workspace.files import listing, modified
from jobs.workspace.outputs import OutputName
from jobs.workspace.paths import JobPaths, Workspace
from jobs.workspace.states import State
from jobs.workspace.store import JobRow, read_jobs

LEAST_SECONDS = 0.3  # between two looks: pages of several devices share them


class Jobs:
    """The rows of the store at one moment, in the order of the sheet."""

    def __init__(self, rows: list[JobRow]) -> None:
        self.rows = rows

    @cached_property
    def by_name(self) -> Mapping[str, JobRow]:
        return {row.name: row for row in self.rows}

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """How many jobs are in each state."""
        counts = dict.fromkeys(map(str, State), 0)
        for row in self.rows:
            counts[row.state] += 1
        return counts


class Night:
    """A workspace, looked at by several threads."""

    def __init__(self, workspace: Workspace, clock: Callable[[], float] = time.monotonic) -> None:
        self.workspace = workspace
        self._clock = clock
        self._lock = threading.Lock()
        self._jobs, self._seen_store = Jobs([]), (-1, -1)
        self._farm, self._looked_at = NO_FARM, float("-inf")
        self._names: dict[Path, tuple[int, list[str]]] = {}

    def jobs(self) -> Jobs:
        """The jobs as the store has them. MultitrainError where it cannot be read."""
        self._look()
        return self._jobs

    def farm(self) -> FarmState:
        """What the farm that runs here has told; `NO_FARM` where none does."""
        self._look()
        return self._farm

    @property
    def version(self) -> str:
        """Changes with the store."""
        return f"{self._seen_store[0]:x}"

    def _look(self) -> None:
        with self._lock:
            now = self._clock()
            if now - self._looked_at < LEAST_SECONDS:
                return
            seen = _facts(self.workspace.store)
            if seen != self._seen_store:
                self._jobs = Jobs(read_jobs(self.workspace.store))
                self._seen_store = seen
            is_here = farm_is_here(self.workspace)
            self._farm = (is_here and read_farm_state(self.workspace)) or NO_FARM
            self._looked_at = now

    def outputs(self, paths: JobPaths) -> Iterator[tuple[OutputName, Path]]:
        """What lies in `renders/` of a job, by its names; the folder may hold very many files."""
        folder = paths.outputs
        names = self._listing(folder)
        at = bisect_left(names, paths.name)
        while at < len(names) and names[at].startswith(paths.name):
            output = OutputName.parse(names[at])
            if output and output.job == paths.name:
                yield output, folder / names[at]
            at += 1

    def _listing(self, folder: Path) -> list[str]:
        changed = modified(folder)
        with self._lock:
            if self._names.get(folder, (-1, []))[0] != changed:
                if len(self._names) > 100:
                    self._names.clear()
                self._names[folder] = changed, listing(folder)
            return self._names[folder][1]


def overview(night: Night) -> dict[str, Any]:
    """What stands in the bar of the page and beside it: of the farm and all jobs, not of each."""
    jobs, farm = night.jobs(), night.farm()
    return {
        "counts": jobs.counts,
        "total": len(jobs.rows),
        "version": night.version,
        "farm": {
            "is_here": farm is not NO_FARM,
            "since": farm.since,
            "is_draining": farm.is_draining,
        },
        "night": {"seconds": farm.night.seconds, "in_words": farm.left_in_words},
        "slots": [slot.model_dump() for slot in farm.slots],
        "waiting": {what: hidden(why) for what, why in farm.waiting.items()},
        "disk": farm.disk.model_dump() if farm.disk else None,
    }


def farm_is_here(workspace: Workspace) -> bool:
    """Whether somebody holds the workspace: a farm, or what one has left behind that drains."""
    try:
        descriptor = locks.open_file(workspace.lock, create=False)
    except OSError:
        return False
    with suppress(OSError):  # no locks on this disk
        try:
            return not locks.lock(descriptor, shared=True)
        finally:
            os.close(descriptor)
    return False


def _facts(path: Path) -> tuple[int, int]:
    try:
        facts = path.stat()
    except OSError:
        return 0, 0
    return facts.st_mtime_ns, facts.st_ino

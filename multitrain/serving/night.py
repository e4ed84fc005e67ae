"""What the page knows of the workspace: read from its files, each only when it has changed."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from jobs.secrets import hidden
from jobs.workspace.at_work import is_held
from jobs.workspace.farm_state import NO_FARM, FarmState, read_farm_state
from jobs.workspace.files import listing, modified
from jobs.workspace.names import MANIFEST
from jobs.workspace.outputs import OutputName
from jobs.workspace.paths import JobPaths, Workspace
from jobs.workspace.states import State
from jobs.workspace.store import JobRow, read_jobs

MOST_FOLDERS = 100  # whose listings are remembered
BEHIND_A_JOB = (".", "_box", "_loop", "_timecut")  # what follows its name in those of its files
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
        self._names: dict[Path, _Listing] = {}
        self._done_at: dict[str, int] = {}  # when manifests were written, of jobs that are done

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
                done = {row.name for row in self._jobs.rows if row.state is State.DONE}
                self._done_at = {name: at for name, at in self._done_at.items() if name in done}
                self._seen_store = seen
            is_here = is_held(self.workspace)
            self._farm = (is_here and read_farm_state(self.workspace)) or NO_FARM
            self._looked_at = now

    def done_at(self, row: JobRow) -> int:
        """When a job's manifest was written, in nanoseconds; 0 where there is none.

        Of a job that is done and stays so, it is looked at once: there may be ten thousand.
        """
        if row.state is not State.DONE:
            return modified(self.workspace.renders / f"{row.name}{MANIFEST}")
        at = self._done_at.get(row.name)
        if at is None:
            at = modified(self.workspace.renders / f"{row.name}{MANIFEST}")
            self._done_at[row.name] = at
        return at

    def outputs(self, paths: JobPaths) -> Sequence[tuple[OutputName, Path]]:
        """What lies in `renders/` of a job, by its names; the folder may hold very many files."""
        folder = paths.outputs
        changed = modified(folder)
        with self._lock:
            found = self._names.get(folder)
            if found is None or found.changed != changed:
                if len(self._names) > MOST_FOLDERS:
                    self._names.clear()
                found = self._names[folder] = _Listing(folder, changed)
            return found.of(paths.name)


class _Listing:
    """The files of a folder when it had `changed` last; the names of a job are parsed once."""

    def __init__(self, folder: Path, changed: int) -> None:
        self.changed = changed
        self._folder, self._names = folder, listing(folder)
        self._parsed: dict[str, list[tuple[OutputName, Path]]] = {}

    def of(self, job: str) -> Sequence[tuple[OutputName, Path]]:
        if job not in self._parsed:
            parsed = ((OutputName.parse(name), name) for name in self._beginning(job))
            self._parsed[job] = [
                (output, self._folder / name)
                for output, name in parsed
                if output and output.job == job
            ]
        return self._parsed[job]

    def _beginning(self, job: str) -> Iterator[str]:
        """Names that may be those of a job; not all that begin as its own does, as do `job-1`'s."""
        for after in BEHIND_A_JOB:
            beginning = f"{job}{after}"
            at = bisect_left(self._names, beginning)
            while at < len(self._names) and self._names[at].startswith(beginning):
                yield self._names[at]
                at += 1


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


def _facts(path: Path) -> tuple[int, int]:
    try:
        facts = path.stat()
    except OSError:
        return 0, 0
    return facts.st_mtime_ns, facts.st_ino

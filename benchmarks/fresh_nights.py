"""A night in which a job starts over and is killed, and what became of its old film."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

import psutil

from benchmarks.farmyard import Farmyard
from benchmarks.films import digest_of_file
from benchmarks.scenes import CARDS, HANGS_SECONDS, POLL_SECONDS
from jobs.errors import ExitCode

# Cells of a row, and others that make another film of the same name.
ANOTHER = {
    "boxes": ("4,2,0.08,1.1,60,96x64", "4,3,0.08,1.1,60,96x96"),
    "stills": ("2,2,0.04", "3,2,0.04"),
}

EVERYTHING = "everything"  # a power cut
FARM, TRAINER, WORKER = "farm", "trainer", "render worker"
TARGETS = (FARM, EVERYTHING, TRAINER, WORKER)
ONCE_A_NIGHT = {TRAINER, WORKER}  # who is killed again and again is given up, rightly

LONGEST_PAUSES = (1.0, 5.0)  # seconds before a kill: some hit what begins, others what ends
AIMED = 0.5  # of the kills wait for a file to come, go or be renamed: there lie the narrow moments


def sheet_with_others(jobs: Sequence[str]) -> list[str]:
    """The rows, another one for each of these jobs."""
    named = [(row.partition(",")[0], row) for row in CARDS]
    return [row.replace(*ANOTHER[job], 1) if job in jobs else row for job, row in named]


def lost(old: Mapping[str, str], renders: Path) -> list[str]:
    """The files of `old` that are neither in their place nor kept, whole, as earlier ones.

    `old` are digests by the path below `renders`. A file may be moved meanwhile, from its place to
    the earlier ones: it is looked for in that order.
    """
    missing = [name for name, digest in old.items() if _digest(renders / name) != digest]
    kept = kept_earlier(renders) if missing else set()
    return [name for name in missing if old[name] not in kept]


def kept_earlier(renders: Path) -> set[str]:
    """Digests of all files below `renders/earlier`."""
    found = map(_digest, (renders / "earlier").rglob("*"))
    return {digest for digest in found if digest}


def _digest(path: Path) -> str | None:
    """None where there is no such file."""
    with suppress(FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return digest_of_file(path)
    return None


class FreshNight:
    """Kills by `random` while `job` starts over in this yard, until the sheet is done all the same.

    The sheet in the yard has another row for the job, which is done with the old one. `old` are
    digests of its files by the path below `renders`.
    """

    def __init__(self, yard: Farmyard, job: str, old: Mapping[str, str], random: Random) -> None:
        self.kills: Counter[str] = Counter()
        self.lost: set[str] = set()
        self.failed = ""  # what the farm ended with, where not all was done
        self._yard, self._job, self._old, self._random = yard, job, old, random
        self._hangs_at = 0.0

    def live_through(self, kills: int) -> None:
        """At most so many kills: fewer, where all is done before."""
        self._start("--fresh", self._job)
        for target in self._targets(kills):
            if not self._strike(target):
                return
            self.kills[target] += 1
            self.lost |= {*lost(self._old, self._yard.workspace.renders)}
            if target in (FARM, EVERYTHING):
                self._start()
        while not self._is_over():
            time.sleep(POLL_SECONDS)

    def _targets(self, kills: int) -> Iterator[str]:
        left = list(TARGETS)
        for _ in range(kills):
            target = self._random.choice(left)
            if target in ONCE_A_NIGHT:
                left.remove(target)
            yield target

    def _start(self, *options: str) -> None:
        self._yard.start(*options)
        self._hangs_at = time.monotonic() + HANGS_SECONDS

    def _strike(self, target: str) -> bool:
        """Kill it at a random moment, or when it next lives; False where the night is over."""
        aimed = self._random.random() < AIMED
        pause = self._random.uniform(0, self._random.choice(LONGEST_PAUSES))
        moment, before = time.monotonic() + pause, None
        while not self._is_over():
            if time.monotonic() >= moment:
                now = self._folder_times() if aimed else None
                if (not aimed or before not in (None, now)) and self._kill(target):
                    return True
                before = now
            time.sleep(POLL_SECONDS)
        return False

    def _folder_times(self) -> tuple[int, ...]:
        """When a name last came or went where files are made and moved."""
        renders = self._yard.workspace.renders
        folders = (renders / "next", renders / "next" / self._job, renders / "earlier")
        times = (path.stat().st_mtime_ns for path in folders if path.exists())
        return *self._yard.folder_times(), *times

    def _kill(self, target: str) -> bool:
        """Whether there was anything to kill."""
        if target == EVERYTHING:
            self._yard.kill_all()
            return True
        if target == FARM:
            self._yard.kill_farm()
            return True
        for victim in self._yard.living(target):
            with suppress(psutil.Error):  # it has ended by itself meanwhile
                victim.kill()
                return True
        return False

    def _is_over(self) -> bool:
        """Whether all is done, or the farm has failed.

        It refuses the other row where the kill came before it took note that the job starts over:
        then it is told once more.
        """
        code = self._yard.exit_code
        if code is None and time.monotonic() < self._hangs_at:
            return False
        if code == ExitCode.USAGE and "--fresh" in self._yard.last_words():
            self._start("--fresh", self._job)
            return False
        if code != ExitCode.DONE:
            self.failed = "hangs" if code is None else f"ended with code {code}"
            self._yard.kill_all()
        return True

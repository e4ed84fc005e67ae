"""Room on the workspace's disks: below a floor of free bytes, the farm starts nothing new."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from jobs.units import bytes_for_people
from jobs.workspace.disk import ENOUGH, free_bytes

LOOK_SECONDS = 1.0  # the file system is asked at most this often
FULL_SECONDS = 30.0  # how long a pause lasts that a failed write began; the next one, twice as long
LONGEST_PAUSE = 600.0


class DiskWatch:
    """Looks at the disks that hold `folders`, of which `keep_free` bytes are to stay free.

    Trainers look by themselves and wait while there is too little, and encoders go on, because what
    they make is smaller than what they take: this is for starting jobs, and for messages.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        keep_free: int,
        free: Callable[[Path], int] = free_bytes,
        advice: Callable[[], str] = lambda: "",
    ) -> None:
        """`advice` returns a clause on how to make room; called when there is too little."""
        self._folders, self._floor, self._free = folders, keep_free, free
        self._advice = advice
        self._step_bytes = 0
        self._looked_at = float("-inf")
        self._below: set[Path] = set()  # whose disks are short
        self._short = ""  # a message on the first folder that is short or out of reach
        self._full = ""  # a message after a write found no room; empty once another succeeded
        self._full_until = float("-inf")
        self._pause = FULL_SECONDS
        self._is_pausing = False

    def expect(self, step_bytes: int) -> None:
        """Have room for one step more of so many bytes: trainers wait where it would not fit."""
        self._step_bytes = max(self._step_bytes, step_bytes)

    @property
    def _keep_free(self) -> int:
        return self._floor and self._floor + self._step_bytes

    @property
    def shortage(self) -> str:
        """Why nothing is to be started now; empty while all is well."""
        return self._short or (self._full if self._is_pausing else "")

    @property
    def trouble(self) -> str:
        """What people should know; unlike `shortage`, it lasts until a write has succeeded."""
        return self._short or self._full

    def look(self, now: float) -> None:
        """Bring `shortage` and `trouble` up to date."""
        self._is_pausing = now < self._full_until
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self._short = next(filter(None, map(self._what_is_short, self._folders)), "")

    def met_full(self, now: float) -> None:
        """A write has failed for want of room, whatever the file systems say of themselves."""
        self._full = (
            "a write found no room: a disk is full, or a quota is used up; it is tried again"
        )
        self._full_until = now + self._pause
        self._is_pausing = True
        self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def took_a_write(self) -> None:
        """Somebody has written something meanwhile."""
        self._full, self._pause = "", FULL_SECONDS

    def _what_is_short(self, folder: Path) -> str:
        wanted = self._keep_free * (ENOUGH if folder in self._below else 1)
        self._below.discard(folder)
        try:
            free = self._free(folder)
        except OSError as error:
            return f"{folder} cannot be reached ({(error.strerror or str(error)).casefold()})"
        if free >= wanted:
            return ""
        self._below.add(folder)
        floor = bytes_for_people(self._keep_free)
        advice = self._advice()
        more = f"; {advice}" if advice else ""
        return f"less than {floor} are free on the disk of {folder} (--keep-free-gb){more}"

"""Room on the workspace's disk: below a floor of free bytes, the farm starts nothing new."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jobs.disk import free_bytes

LOOK_SECONDS = 1.0  # the file system is asked at most this often
ENOUGH = 1.1  # times the floor ends a pause, so that it does not begin and end all the time
FULL_SECONDS = 30.0  # how long a pause lasts that a failed write began


class DiskWatch:
    """Looks at the disk that holds `folder`, of which `keep_free` bytes are to stay free.

    Trainers look by themselves and wait while there is too little, and encoders go on, because what
    they make is smaller than what they take: this is for starting jobs, and for telling people.
    """

    def __init__(
        self, folder: Path, keep_free: int, free: Callable[[Path], int] = free_bytes
    ) -> None:
        self._folder, self._keep_free, self._free = folder, keep_free, free
        self._looked_at = float("-inf")
        self._full_until = float("-inf")
        self.shortage = ""  # why nothing is started; empty while there is room

    def look(self, now: float) -> None:
        """Bring `shortage` up to date; `now` in unix seconds."""
        if now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        wanted = self._keep_free * (ENOUGH if self.shortage else 1)
        if self._free(self._folder) < wanted:
            self.shortage = (
                f"less than {self._keep_free / 2**30:.1f} GiB are free on the disk of "
                f"{self._folder} (--keep-free-gb)"
            )
        elif now < self._full_until:
            self.shortage = f"a write to {self._folder} found no room; a quota may be used up"
        else:
            self.shortage = ""

    def met_full(self, now: float) -> None:
        """A write has failed for want of room, whatever the file system says of itself."""
        self._full_until = now + FULL_SECONDS
        self._looked_at = float("-inf")

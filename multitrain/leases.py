"""Lease files: one `flock` for each GPU, in a folder that all farms of the machine share.

The trainer inherits the descriptor, so two farms never share a GPU by accident and a lease dies
with its processes, however they ended: a farm that is killed leaves it to its trainers.

In a folder for temporary files, a cleaner may remove what is old, also while it is locked. So a
file is as young as its lease, and a lock on a file that is not there any more is no lease.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import suppress
from pathlib import Path

ROUNDS = 100  # far more than a cleaner can spoil


def default_lease_folder() -> Path:
    """One for the whole machine, whoever runs the farm; `MULTITRAIN_LEASES` names another."""
    named = os.environ.get("MULTITRAIN_LEASES")
    return Path(named) if named else Path(tempfile.gettempdir()) / "multitrain-leases"


class LeaseFolder:
    """Leases by name. Each method raises OSError where the folder or the file cannot be used."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def take(self, name: str) -> int | None:
        """A descriptor that holds the lease until it is closed; None where somebody has it."""
        for _ in range(ROUNDS):
            descriptor = self._lock(name)
            if descriptor is None or self._is_at(name, descriptor):
                return descriptor
            os.close(descriptor)  # removed since it was opened: the next farm would not see it
        raise OSError(f"{self._folder / name} is another file each time that it is opened")

    def _lock(self, name: str) -> int | None:
        descriptor = self._open(name)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError:  # a file system without locks
            os.close(descriptor)
            raise
        with suppress(OSError):  # the file of another user
            os.utime(descriptor)
        return descriptor

    def _is_at(self, name: str, descriptor: int) -> bool:
        """Whether the file of this name is the one that is open here."""
        try:
            there = (self._folder / name).stat()
        except OSError:
            return False
        return os.path.samestat(there, os.fstat(descriptor))

    def take_all(self, names: list[str]) -> tuple[int, ...] | None:
        """All of these or none: None where somebody has one of them."""
        taken: list[int] = []
        try:
            for name in names:
                descriptor = self.take(name)
                if descriptor is None:
                    break
                taken.append(descriptor)
        finally:
            if len(taken) < len(names):
                for descriptor in taken:
                    os.close(descriptor)
        return tuple(taken) if len(taken) == len(names) else None

    def is_free(self, name: str) -> bool:
        descriptor = self.take(name)
        if descriptor is not None:
            os.close(descriptor)
        return descriptor is not None

    def _open(self, name: str) -> int:
        # Farms of other users lease the same GPUs: the folder is like /tmp, and a file that is
        # there is opened for reading only, which is all that flock needs.
        if not self._folder.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            self._folder.chmod(0o1777)
        path = self._folder / name
        if not path.exists():
            path.touch()
            path.chmod(0o644)
        return os.open(path, os.O_RDONLY)

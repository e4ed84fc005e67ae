"""Lease files: one `flock` for each GPU, in a folder that all farms of the machine share.

Jobs that share a GPU hold its lease together, and each one more for its place there.

The trainer inherits the descriptor, so two farms never share a GPU by accident and a lease dies
with its processes, however they ended: a farm that is killed leaves it to its trainers.

In a folder for temporary files, a cleaner may remove old files, even locked ones. So each lease
renews its file's time, and a lock on a file that has been removed is no lease.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from jobs.workspace import locks

FOLDER = "MULTITRAIN_LEASES"  # the environment variable that names it
LIKE_TMP = 0o1777  # everybody may make files in there, and remove only their own


class UnsafeFolder(OSError):
    """The folder is not safe: another user decides what is in it."""


def default_lease_folder() -> Path:
    """The folder for all farms of the machine; `MULTITRAIN_LEASES` names another one."""
    named = os.environ.get(FOLDER)
    # A link that the user names is followed; one in a folder for temporary files may be anybody's.
    return Path(named).resolve() if named else Path(tempfile.gettempdir()) / "multitrain-leases"


class LeaseFolder:
    """Leases by name. Each method raises OSError where the folder or the file cannot be used.

    UnsafeFolder, an OSError, where only another user can write to the folder. It may have been made
    by another user who runs farms, but then everybody can write to it, as to /tmp.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def take(self, name: str, *, shared: bool = False) -> int | None:
        """A descriptor that holds the lease until it is closed; None if another process has it.

        A `shared` one is held together with others that are.
        """
        with self._opened() as folder:
            descriptor = locks.take(self._folder / name, folder=folder, shared=shared)
        if descriptor is not None:
            with suppress(OSError):  # it may be another user's file
                os.utime(descriptor)
        return descriptor

    def take_all(self, names: Sequence[str], shared: Sequence[str] = ()) -> tuple[int, ...] | None:
        """Leases on all `names`, and `shared` ones; None where another process has one of them."""
        taken: list[int] = []
        wanted = [*((name, False) for name in names), *((name, True) for name in shared)]
        try:
            for name, is_shared in wanted:
                descriptor = self.take(name, shared=is_shared)
                if descriptor is None:
                    break
                taken.append(descriptor)
        finally:
            if len(taken) < len(wanted):
                for descriptor in taken:
                    os.close(descriptor)
        return tuple(taken) if len(taken) == len(wanted) else None

    def is_free(self, name: str, *, shared: bool = False) -> bool:
        """Whether it could be taken now."""
        descriptor = self.take(name, shared=shared)
        if descriptor is not None:
            os.close(descriptor)
        return descriptor is not None

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """A descriptor of the folder, made if missing: what is used is what was checked."""
        with suppress(FileExistsError):
            self._folder.mkdir(parents=True)
            self._folder.chmod(LIKE_TMP)
        try:
            descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.ENOTDIR):
                raise
            raise UnsafeFolder(_advice(self._folder, "is no plain folder")) from error
        try:
            if complaint := _complaint(os.fstat(descriptor)):
                raise UnsafeFolder(_advice(self._folder, complaint))
            yield descriptor
        finally:
            os.close(descriptor)


def _complaint(facts: os.stat_result) -> str:
    """Why leases in a folder with these `facts` cannot be trusted; empty where they can."""
    is_for_all = bool(facts.st_mode & stat.S_IWOTH)
    if is_for_all:
        sticky = facts.st_mode & stat.S_ISVTX
        return "" if sticky else "lets everybody remove the leases of others (chmod +t mends that)"
    if facts.st_uid not in (0, os.geteuid()):
        return f"belongs to user {facts.st_uid}, who alone may write there"
    return ""


def _advice(folder: Path, complaint: str) -> str:
    return f"{folder} {complaint}; name another folder for all farms here in {FOLDER}"

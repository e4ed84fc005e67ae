"""The folder of decoded pictures: one process makes a file, others wait; old files make room."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from jobs.units import bytes_for_people
from jobs.workspace import locks
from jobs.workspace.disk import free_bytes
from jobs.workspace.files import PART, listing, part_of
from jobs.workspace.paths import CACHED, Workspace

MOST_OF_THE_DISK = 0.1  # that all files together may take
UNUSED_SECONDS = 30 * 24 * 3600.0  # after which a file goes
CLAIMS = 10  # how often a temporary file may be swept away before it is locked
LOOK_SECONDS = 0.2  # between two looks at a lock that another process has
STILL_SECONDS = 10.0  # after which a file that does not grow is waited for no longer


class NoRoom(Exception):
    """Why the disk has no room for a file: a clause for a person."""


@contextmanager
def claimed(path: Path) -> Iterator[int | None]:
    """A descriptor of the temporary file for `path`, which no other process writes meanwhile.

    Waits while another process writes it; NoRoom where that process does not get on. None where
    another process has finished meanwhile: then `path` is there, or could not be kept. The
    temporary file is its own lock, which is free as soon as its process has ended in any way; the
    next process takes the file over. It is removed afterwards, unless it was renamed to `path`.
    """
    part = part_of(path)
    for _ in range(CLAIMS):
        descriptor = locks.open_file(part)
        try:
            has_waited = _lock(part, descriptor)
            if locks.is_at(part, descriptor):
                try:
                    yield descriptor
                finally:
                    if locks.is_at(part, descriptor):
                        part.unlink()
                return
            # After waiting in vain, do not try the same again, one process after the other.
            if has_waited or path.exists():
                yield None
                return
        finally:
            os.close(descriptor)
    raise NoRoom(f"{part} is removed again and again")


def _lock(part: Path, descriptor: int) -> bool:
    """Lock the open file; returns whether another process has had it for more than one look.

    (To sweep a file away takes less.) NoRoom where the other process writes nothing for
    `STILL_SECONDS`: it may be suspended, or have a much lower priority than this one.
    """
    looks, size, since = 0, -1, time.monotonic()
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            now = time.monotonic()
            if (length := os.fstat(descriptor).st_size) != size:
                size, since = length, now
            elif now - since > STILL_SECONDS:
                raise NoRoom("another process decodes them and does not get on") from None
            looks += 1
            time.sleep(LOOK_SECONDS)
        except OSError:  # a file system without locks
            if not os.fstat(descriptor).st_size and locks.is_at(part, descriptor):
                part.unlink()
            raise
        else:
            return looks > 1


def require_room(workspace: Workspace, coming: int, keep_free: int) -> None:
    """NoRoom unless `coming` bytes fit above the floor of `keep_free` bytes.

    The files unused for longest are deleted for that, if it can help: a file that somebody has
    mapped gives no room. NoRoom also where the cache would take more than its share of the disk.
    """
    most = _most_bytes(workspace)
    if coming > most:
        raise NoRoom(f"{bytes_for_people(coming)} are more than the cache may take")
    make_room(workspace, most - coming)
    wanted = keep_free + coming
    files = _files(workspace.cache)
    free = free_bytes(workspace.cache)
    if free + sum(file.size for file in files) >= wanted:
        for file in files:
            if free >= wanted:
                break
            file.path.unlink(missing_ok=True)
            before, free = free, free_bytes(workspace.cache)
            if free <= before:
                break
    if free < wanted:
        raise NoRoom(f"less than {bytes_for_people(wanted)} are free on the disk")


def make_room(workspace: Workspace, most: int, now: float | None = None) -> None:
    """Delete files that were not used for long, and the oldest until all take at most `most` bytes.

    Also deletes what killed processes have left. A file in use is no loss: whoever has mapped it
    keeps it. `now` is in unix seconds.
    """
    now = time.time() if now is None else now
    _sweep(workspace.cache)
    files = _files(workspace.cache)
    taken = sum(file.size for file in files)
    for file in files:
        if taken > most or now - file.used > UNUSED_SECONDS:
            file.path.unlink(missing_ok=True)
            taken -= file.size


def mark_used(path: Path) -> None:
    """Note that the file was used just now, so that others go first. Failures do not matter."""
    with suppress(OSError):
        os.utime(path)


class _File(NamedTuple):
    used: float  # time of day, seconds
    size: int  # bytes
    path: Path


def _files(folder: Path) -> list[_File]:
    """The finished files, the one unused for longest first."""
    files = []
    for path in (folder / name for name in listing(folder) if name.endswith(CACHED)):
        with suppress(FileNotFoundError):
            facts = path.stat()
            files.append(_File(facts.st_mtime, facts.st_size, path))
    return sorted(files)


def _most_bytes(workspace: Workspace) -> int:
    facts = os.statvfs(workspace.cache)
    return round(facts.f_blocks * facts.f_frsize * MOST_OF_THE_DISK)


def _sweep(folder: Path) -> None:
    """Remove temporary files that nobody writes."""
    for path in (folder / name for name in listing(folder) if name.endswith(PART)):
        with suppress(OSError):  # somebody writes it, or has just finished
            descriptor = locks.open_file(path, create=False)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if locks.is_at(path, descriptor):
                    path.unlink()
            finally:
                os.close(descriptor)

"""The folder of decoded pictures: one process makes a file, others wait; old files make room."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from jobs.disk import free_bytes
from jobs.paths import CACHED, PART, Workspace, listing, part_of
from jobs.units import bytes_for_people

MOST_OF_THE_DISK = 0.1  # that all files together may take
UNUSED_SECONDS = 30 * 24 * 3600.0  # after which a file goes
CLAIMS = 10  # how often a temporary file may be swept away before it is locked
LOOK_SECONDS = 0.2  # between two looks at a lock that another process has
STILL_SECONDS = 10.0  # after which a file that does not grow is waited for no longer


class NoRoom(Exception):
    """The disk is to be left alone."""


@contextmanager
def claimed(path: Path) -> Iterator[int | None]:
    """A descriptor of the temporary file for `path`, which no other process writes meanwhile.

    Waits while another one does and gets on; NoRoom where it does not. None where another one was
    done meanwhile: `path` is there now, or could not be kept. The temporary file is its own lock:
    it is free as soon as its process has ended, however that happened, and whoever comes next goes
    on with it. It is removed afterwards unless it was given its name.
    """
    part = part_of(path)
    for _ in range(CLAIMS):
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            has_waited = _lock(part, descriptor)
            if _is_at(part, descriptor):
                try:
                    yield descriptor
                finally:
                    if _is_at(part, descriptor):
                        part.unlink()
                return
            # Who has waited in vain does not try the same in turn, one after the other.
            if has_waited or path.exists():
                yield None
                return
        finally:
            os.close(descriptor)
    raise NoRoom(f"{part} is removed again and again")


def _lock(part: Path, descriptor: int) -> bool:
    """Lock the open file; whether another process has had it for more than one look.

    It takes less to sweep a file away. NoRoom where the other one writes nothing for long: it may
    have been suspended, or have a much lower priority than this process.
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
            if not os.fstat(descriptor).st_size and _is_at(part, descriptor):
                part.unlink()
            raise
        else:
            return looks > 1


def require_room(workspace: Workspace, coming: int, keep_free: int) -> None:
    """NoRoom unless `coming` bytes fit above the floor of `keep_free` bytes.

    Files that were not used for longest are deleted for that, if that can help: those that somebody
    has mapped give no room. Also where all take too much.
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

    Also what processes that were killed have left. A file in use is no loss: whoever has mapped it
    keeps it. `now` is the time of day, in seconds.
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
    """So that others go first; where the file cannot be touched, they do not."""
    with suppress(OSError):
        os.utime(path)


class _File(NamedTuple):
    used: float  # time of day, seconds
    size: int  # bytes
    path: Path


def _files(folder: Path) -> list[_File]:
    """The finished ones; first the one that was not used for longest."""
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
            descriptor = os.open(path, os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_at(path, descriptor):
                    path.unlink()
            finally:
                os.close(descriptor)


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether the open file still has this name."""
    with suppress(FileNotFoundError):
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    return False

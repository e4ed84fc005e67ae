"""Lock files: one holder at a time; a lock ends with its holder's process, however that ends.

A lock is a `flock` on a file that must still have its name once it is locked: were it removed or
replaced, the next process would lock another file. Where others may write, they may have put
something else there: links are never followed, and only a plain file is locked.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from contextlib import suppress
from pathlib import Path

ROUNDS = 100  # tries: more than a process that removes lock files can spoil

_SAFELY = os.O_NOFOLLOW | os.O_NONBLOCK  # opening a pipe would wait for its other end
_READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)
_MODE = 0o644  # to lock it, others only need to open it


class NotOurs(OSError):
    """Something else has the name of the lock file: a link, say."""


def take(
    path: Path, *, folder: int | None = None, wait: bool = False, shared: bool = False
) -> int | None:
    """A descriptor that holds the lock until it is closed; None where somebody else has it.

    The file is made where there is none. `folder` is a descriptor of the folder that it lies in,
    where that was opened before. With `wait`, it waits until the lock is free. A `shared` lock is
    held together with others that are. NotOurs or another
    OSError where the file cannot be used, or is another one each time that it is opened.
    """
    for _ in range(ROUNDS):
        descriptor = open_file(path, folder=folder)
        held = False
        try:
            if not lock(descriptor, wait=wait, shared=shared):
                return None
            held = is_at(path, descriptor, folder=folder)
        finally:
            if not held:
                os.close(descriptor)
        if held:
            return descriptor
    raise OSError(f"{path} is another file each time that it is opened")


def lock(descriptor: int, *, shared: bool = False, wait: bool = False) -> bool:
    """Lock an open file, alone or `shared` with others; whether it is locked now.

    OSError where the file system has no locks.
    """
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, kind if wait else kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_at(path: Path, descriptor: int, *, folder: int | None = None) -> bool:
    """Whether the file of this name is the one that is open."""
    try:
        there = os.stat(_in(folder, path), dir_fd=folder, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return os.path.samestat(there, os.fstat(descriptor))


def open_file(path: Path, *, folder: int | None = None, create: bool = True) -> int:
    """The descriptor of a plain file, for reading and writing, or for reading if that is all.

    With `create`, it is made where there is none. NotOurs where there is something else.
    """
    for _ in range(ROUNDS):
        try:
            return _open_existing(path, folder)
        except FileNotFoundError:
            if not create:
                raise
        with suppress(FileExistsError):
            return _make(path, folder)
    raise OSError(f"{path} comes and goes")


def _make(path: Path, folder: int | None) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _SAFELY
    descriptor = os.open(_in(folder, path), flags, _MODE, dir_fd=folder)
    with suppress(OSError):  # a file system without modes
        os.fchmod(descriptor, _MODE)  # whatever the umask
    return descriptor


def _open_existing(path: Path, folder: int | None) -> int:
    name = _in(folder, path)
    try:
        try:
            descriptor = os.open(name, os.O_RDWR | _SAFELY, dir_fd=folder)
        except OSError as error:
            if error.errno not in _READ_ONLY:
                raise
            descriptor = os.open(name, os.O_RDONLY | _SAFELY, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK, errno.EISDIR, errno.ENXIO):
            raise _not_ours(path) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_ours(path)
    return descriptor


def _in(folder: int | None, path: Path) -> str | Path:
    return path if folder is None else path.name


def _not_ours(path: Path) -> NotOurs:
    return NotOurs(f"{path} is no plain file, but a link, say; remove it")

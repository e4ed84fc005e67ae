"""Room on a disk: how much there is, and whether a failure means that there was none."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from pathlib import Path

from jobs.errors import ProgramFailed

ENOUGH = 1.1  # times the floor must be free to end a wait for room, so that no next one follows

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def free_bytes(folder: Path) -> int:
    """What an ordinary user may still write to the disk that holds `folder`."""
    return shutil.disk_usage(folder).free


def means_full(error: BaseException) -> bool:
    """Whether `error`, or what caused it, says that a disk or a quota is full.

    ffmpeg and HDF5 pass no error numbers on, so their words are looked at.
    """
    cause: BaseException | None = error
    while cause is not None:
        if _means_full(cause):
            return True
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return False


def _means_full(error: BaseException) -> bool:
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return True
    words = error.said if isinstance(error, ProgramFailed) else str(error)
    return any(os.strerror(number) in words for number in _NO_ROOM)

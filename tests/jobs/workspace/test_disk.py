from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

import pytest

from jobs.errors import MultitrainError, ProgramFailed
from jobs.workspace.disk import free_bytes, means_full

NO_SPACE = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def caused_by(cause: BaseException) -> BaseException:
    try:
        raise MultitrainError("it failed") from cause
    except MultitrainError as error:
        return error


@pytest.mark.parametrize(
    "error",
    [
        NO_SPACE,
        OSError(errno.EDQUOT, "quota"),
        caused_by(NO_SPACE),
        ProgramFailed(["ffmpeg"], 1, "av_interleaved_write_frame(): No space left on device\nbye"),
        RuntimeError("can't flush: errno = 28, error message = 'No space left on device'"),
    ],
)
def test_a_full_disk_is_recognised(error: BaseException) -> None:
    assert means_full(error)


@pytest.mark.parametrize(
    "error",
    [OSError(errno.EACCES, "denied"), ProgramFailed(["ffmpeg"], 1, "bad"), ValueError("28"),
     sqlite3.OperationalError("database is locked")],
)  # fmt: skip
def test_other_failures_are_not(error: BaseException) -> None:
    assert not means_full(error)


def test_a_store_on_a_full_disk_is_recognised(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "a.sqlite")
    database.execute("CREATE TABLE t (x)")
    database.execute("PRAGMA max_page_count = 2")
    with pytest.raises(sqlite3.Error) as caught:
        database.execute("INSERT INTO t VALUES (zeroblob(100000))")
    database.close()
    assert means_full(caught.value)


def test_free_bytes_are_those_of_the_folders_disk(tmp_path: Path) -> None:
    facts = os.statvfs(tmp_path)
    assert free_bytes(tmp_path) == pytest.approx(facts.f_bavail * facts.f_frsize, rel=0.05)

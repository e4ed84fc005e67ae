"""The store: one SQLite file with the state of every job of a workspace.

Only the farm and short commands write it; trainers and render workers speak through their job's
folder. It keeps a rollback journal, not a write-ahead log: that needs shared memory in a file. Once
somebody truncates that file, a signal kills the farm; and network disks have no shared memory. The
farm and `status` wait for each other only for milliseconds.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jobs.errors import DamagedStore, MultitrainError, NewerVersion
from jobs.reading import escaped
from jobs.workspace.files import atomic_write, flush_to_disk
from jobs.workspace.states import State

# Of the schema. 0 wrote none; up to 1, jobs had no priority, and those that had not begun stood in
# their sheet alone.
VERSION = 2
_SCHEMA = """
CREATE TABLE jobs (
    name         TEXT PRIMARY KEY,
    position     INTEGER NOT NULL,           -- order of submission
    state        TEXT NOT NULL,
    frames_done  INTEGER NOT NULL DEFAULT 0,
    frames_total INTEGER NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0, -- starts that were not drained
    slot         TEXT NOT NULL DEFAULT '',   -- where it runs
    error        TEXT NOT NULL DEFAULT '',   -- the last failure, one line
    changed      REAL NOT NULL               -- unix seconds of the last transition
) STRICT
"""
_SINCE_VERSION_2 = (
    "priority       INTEGER NOT NULL DEFAULT 0",
    "sheet_priority INTEGER NOT NULL DEFAULT 0",  # what its sheet said last
    "submitted      INTEGER NOT NULL DEFAULT 0",  # 1: by `submit`, so that every farm takes it up
    "job            TEXT NOT NULL DEFAULT ''",  # the JobFile as its sheet had it last, as JSON
)
BUSY_SECONDS = 5.0  # how long another writer, such as somebody's shell, is waited for

BESIDE = ("-wal", "-shm", "-journal")  # endings of what SQLite keeps beside its file
# Why SQLite fails on a file that may well be whole.
_NOT_DAMAGE = {
    sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL,
}  # fmt: skip

_BEFORE_VERSION_2 = "name, state, frames_done, frames_total, attempts, slot, error"
_COLUMNS = f"{_BEFORE_VERSION_2}, priority"


@dataclass(frozen=True)
class JobRow:
    """One job as `multitrain status` shows it."""

    name: str
    state: State
    frames_done: int
    frames_total: int
    attempts: int
    slot: str
    error: str
    priority: int = 0


def new_row(name: str, frames_total: int) -> JobRow:
    """The row of a job that was just put into the queue."""
    return JobRow(name, State.QUEUED, 0, frames_total, 0, "", "")


@dataclass(frozen=True)
class Submitted:
    """What a sheet said of a job that is to be done."""

    name: str
    priority: int
    job: str  # the text of its JobFile, as JSON
    for_every_farm: bool  # not only for one that is given its sheet


class Store:
    """Job states on disk. Every change is a transaction: a crash leaves the state before it."""

    def __init__(self, path: Path) -> None:
        """Opens the store, or makes an empty one.

        DamagedStore, with the file left as it is, where it is no store any more; NewerVersion where
        a newer version wrote it; MultitrainError where it cannot be opened or written.
        """
        if not os.path.lexists(path):
            create(path, ())
        _read(path, is_checked=True)  # without writing: SQLite would tidy up a damaged file, too
        with _in_words(path, "written"):
            self._database = sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS)
            try:
                self._database.execute("PRAGMA journal_mode=DELETE")
                with self.transaction():
                    _bring_up_to_date(self._database)
            except BaseException:
                self._database.close()
                raise

    def close(self) -> None:
        self._database.close()

    def wait_at_most(self, seconds: float) -> None:
        """Set how many seconds a change waits for another writer before it fails."""
        self._database.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Several changes as one, all or none of them; also much faster than one by one."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:  # a full disk may have ended it already
                self._database.execute("ROLLBACK")
            raise

    def jobs(self) -> list[JobRow]:
        """All jobs in the order of their submission."""
        return _all_rows(self._database)

    def job(self, name: str) -> JobRow | None:
        row = self._database.execute(
            f"SELECT {_COLUMNS} FROM jobs WHERE name = ?", (name,)
        ).fetchone()
        return _row(row) if row else None

    def add(self, jobs: Iterable[tuple[str, int]]) -> None:
        """New jobs in the queue, by name and frames in all; they must not be there yet."""
        (last,) = self._database.execute("SELECT COALESCE(MAX(position), 0) FROM jobs").fetchone()
        self._database.executemany(
            "INSERT INTO jobs (name, position, state, frames_total, changed)"
            " VALUES (?, ?, ?, ?, ?)",
            [
                (name, position, State.QUEUED, frames_total, time.time())
                for position, (name, frames_total) in enumerate(jobs, last + 1)
            ],
        )

    def transition(
        self, name: str, state: State, *, attempts: int, slot: str = "", error: str = ""
    ) -> None:
        """Move a job to `state`; ValueError where the table of transitions has no such move."""
        job = self.job(name)
        if job is None or not job.state.may_become(state):
            raise ValueError(f"{name} cannot go from {job and job.state} to {state}")
        self.save([replace(job, state=state, attempts=attempts, slot=slot, error=error)])

    def save(self, rows: Iterable[JobRow]) -> None:
        """Update the jobs of these `rows`, which are in the store already."""
        now = time.time()
        self._database.executemany(
            "UPDATE jobs SET changed = CASE WHEN state = :state THEN changed ELSE :now END,"
            " state = :state, frames_done = :frames_done, frames_total = :frames_total,"
            " attempts = :attempts, slot = :slot, error = :error, priority = :priority"
            " WHERE name = :name",
            [{**_values(row), "now": now} for row in rows],
        )

    def submit(self, jobs: Iterable[Submitted]) -> None:
        """Keep what a sheet says of jobs that are in the store already.

        A priority counts where the sheet says another than before: an order stays in force when the
        same sheet is submitted again.
        """
        self._database.executemany(
            "UPDATE jobs SET"
            " priority = CASE WHEN sheet_priority = :priority THEN priority ELSE :priority END,"
            " sheet_priority = :priority, job = :job, submitted = MAX(submitted, :for_every_farm)"
            " WHERE name = :name",
            [vars(each) for each in jobs],
        )

    def unfinished(self, *, only_for_every_farm: bool) -> dict[str, str]:
        """What sheets said last of each job that has not ended, as JSON by name, in their order."""
        ended = [str(state) for state in State if state.ended]
        rows = self._database.execute(
            f"SELECT name, job FROM jobs WHERE state NOT IN ({', '.join('?' * len(ended))})"
            " AND submitted >= ? ORDER BY position",
            (*ended, int(only_for_every_farm)),
        )
        return dict(rows)

    def submitted(self, name: str) -> str:
        """What a sheet said last of a job, as JSON; empty where that is not known."""
        row = self._database.execute("SELECT job FROM jobs WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def forget(self, names: Iterable[str]) -> None:
        """Leave these jobs out from now on."""
        self._database.executemany("DELETE FROM jobs WHERE name = ?", [(each,) for each in names])

    def plan_frames(self, name: str, frames_total: int) -> None:
        """Change the planned length of a job, in frames."""
        self._database.execute(
            "UPDATE jobs SET frames_total = ? WHERE name = ?", (frames_total, name)
        )

    def record_frames(self, name: str, frames_done: int) -> None:
        self._database.execute(
            "UPDATE jobs SET frames_done = ? WHERE name = ?", (frames_done, name)
        )


def read_jobs(path: Path) -> list[JobRow]:
    """The jobs of a store that a farm may be writing; none where there is no store.

    Works in a workspace that one may only read. Errors are those of `Store`.
    """
    return _read(path, is_checked=False) if os.path.lexists(path) else []


def read_submitted(path: Path, name: str) -> str:
    """The text of the JobFile of a job that has not begun; empty where there is none.

    For readers, as `read_jobs`. Errors are those of `Store`.
    """
    if not os.path.lexists(path):
        return ""
    with _in_words(path, "read"), closing(_open_to_read(path, "mode=ro")) as database:
        if _version(database) < VERSION:
            return ""
        row = database.execute("SELECT job FROM jobs WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""


def create(path: Path, rows: Iterable[JobRow]) -> None:
    """A new store that holds `rows`, in their order. MultitrainError where it cannot be written."""
    with _in_words(path, "written"), atomic_write(path) as part:
        part.unlink(missing_ok=True)  # where a process was killed before
        with closing(sqlite3.connect(part)) as database:
            database.execute("PRAGMA journal_mode=MEMORY")  # nothing beside a file that has no name
            database.execute(_SCHEMA)
            _bring_up_to_date(database)
            database.executemany(
                f"INSERT INTO jobs (position, changed, {_COLUMNS}) VALUES (?, ?{', ?' * 8})",
                [(place, time.time(), *_values(row).values()) for place, row in enumerate(rows, 1)],
            )
            database.commit()


def set_aside(path: Path) -> Path:
    """Rename a store with all that SQLite keeps beside it; returns where it lies now."""
    names = (path.with_name(f"{path.name}.damaged-{number}") for number in itertools.count(1))
    aside = next(name for name in names if not any(map(os.path.lexists, _with_files(name))))
    for old, new in zip(_with_files(path), _with_files(aside), strict=True):
        if os.path.lexists(old):
            flush_to_disk(old)
            os.replace(old, new)
    flush_to_disk(path.parent)
    return aside


def has_files_beside(path: Path) -> bool:
    """Whether there is anything that SQLite keeps beside a store."""
    return any(os.path.lexists(path.with_name(path.name + ending)) for ending in BESIDE)


def _with_files(path: Path) -> list[Path]:
    """The store itself last: without it, SQLite throws away what lies beside it."""
    return [path.with_name(path.name + ending) for ending in (*BESIDE, "")]


def _read(path: Path, *, is_checked: bool) -> list[JobRow]:
    """All rows; with `is_checked`, every page of the store is looked at."""
    if not path.is_file():
        raise DamagedStore(path, "it is no file")
    if not path.stat().st_size:
        raise DamagedStore(path, "it is empty")
    # A journal that a killed process left is rolled back, which takes writing. The last mode is for
    # folders that one may not write to.
    is_half_written = os.path.lexists(path.with_name(f"{path.name}-journal"))
    for mode in ("mode=rw" if is_half_written else "mode=ro", "immutable=1"):
        try:
            with _in_words(path, "read"), closing(_open_to_read(path, mode)) as database:
                _check(database, path, is_thorough=is_checked)
                return _all_rows(database)
        except _OutOfReach as error:
            reason = error
    raise reason


def _open_to_read(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?{mode}"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)


def _check(database: sqlite3.Connection, path: Path, *, is_thorough: bool) -> None:
    if _version(database) > VERSION:
        raise NewerVersion(path)
    if is_thorough:
        (found,) = database.execute("SELECT * FROM pragma_integrity_check").fetchone()
        if found != "ok":
            raise DamagedStore(path, found.splitlines()[-1])


class _OutOfReach(MultitrainError):
    """The store may be whole, but this process cannot get at it."""


@contextmanager
def _in_words(path: Path, doing: str) -> Iterator[None]:
    """Turns errors of SQLite, and of impossible rows, into errors of ours with messages."""
    try:
        yield
    except (sqlite3.Error, ValueError) as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
        is_outside = code & 0xFF in _NOT_DAMAGE and code != sqlite3.SQLITE_IOERR_SHORT_READ
        reason = " ".join(str(error).split())
        if is_outside:
            raise _OutOfReach(f"{path} cannot be {doing} ({reason})") from error
        raise DamagedStore(path, reason) from error


def _bring_up_to_date(database: sqlite3.Connection) -> None:
    """Add the columns that stores of earlier versions lack."""
    if _version(database) < VERSION:
        for column in _SINCE_VERSION_2:
            database.execute(f"ALTER TABLE jobs ADD COLUMN {column}")
        database.execute(f"PRAGMA user_version={VERSION}")


def _version(database: sqlite3.Connection) -> int:
    (version,) = database.execute("SELECT * FROM pragma_user_version").fetchone()
    return int(version)


def _all_rows(database: sqlite3.Connection) -> list[JobRow]:
    columns = _COLUMNS if _version(database) >= VERSION else _BEFORE_VERSION_2
    rows = database.execute(f"SELECT {columns} FROM jobs ORDER BY position")
    return [_row(row) for row in rows]


def _values(row: JobRow) -> dict[str, object]:
    """The values of a row to write: SQLite takes no path whose bytes are not UTF-8."""
    return {**vars(row), "error": escaped(row.error)}


def _row(row: tuple[Any, ...]) -> JobRow:
    return JobRow(row[0], State(row[1]), *row[2:])

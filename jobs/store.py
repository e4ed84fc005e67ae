"""The store: one SQLite file with the state of every job of a workspace.

Only the farm and short commands write it; trainers and render workers speak through their job's
folder. Write-ahead logging lets `status` read while the farm writes.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from jobs.errors import MultitrainError
from jobs.states import State

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
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
BUSY_SECONDS = 5.0  # how long another writer, such as somebody's shell, is waited for

_COLUMNS = "name, state, frames_done, frames_total, attempts, slot, error"


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


class Store:
    """Job states on disk. Every change is a transaction: a crash leaves the state before it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._database = sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS)
        except sqlite3.OperationalError as error:
            raise MultitrainError(f"{path} cannot be opened ({error})") from error
        try:
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute(_SCHEMA)
        except sqlite3.DatabaseError as error:
            self._database.close()
            if isinstance(error, sqlite3.OperationalError):
                raise MultitrainError(f"{path} cannot be written ({error})") from error
            raise MultitrainError(
                f"{path} is damaged ({error}); move it away and run again: "
                "films and checkpoints are found without it"
            ) from error

    def close(self) -> None:
        self._database.close()

    def wait_at_most(self, seconds: float) -> None:
        """How long a change waits for another writer before it fails, from now on."""
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

    def add(self, name: str, frames_total: int) -> None:
        """A new job in the queue; it must not be there yet."""
        self._database.execute(
            "INSERT INTO jobs (name, position, state, frames_total, changed)"
            " VALUES (?, (SELECT COALESCE(MAX(position), 0) + 1 FROM jobs), ?, ?, ?)",
            (name, State.QUEUED, frames_total, time.time()),
        )

    def forget(self, name: str) -> None:
        """Remove a job that starts over."""
        self._database.execute("DELETE FROM jobs WHERE name = ?", (name,))

    def transition(
        self, name: str, state: State, *, attempts: int, slot: str = "", error: str = ""
    ) -> None:
        """Move a job to `state`; ValueError where the table of transitions has no such move."""
        job = self.job(name)
        if job is None or not job.state.may_become(state):
            raise ValueError(f"{name} cannot go from {job and job.state} to {state}")
        self.save([replace(job, state=state, attempts=attempts, slot=slot, error=error)])

    def save(self, rows: Iterable[JobRow]) -> None:
        """Bring jobs that are there to where `rows` say that they stand."""
        now = time.time()
        self._database.executemany(
            "UPDATE jobs SET changed = CASE WHEN state = :state THEN changed ELSE :now END,"
            " state = :state, frames_done = :frames_done, frames_total = :frames_total,"
            " attempts = :attempts, slot = :slot, error = :error WHERE name = :name",
            [{**vars(row), "now": now} for row in rows],
        )

    def plan_frames(self, name: str, frames_total: int) -> None:
        """The length of a job that has not begun may still change."""
        self._database.execute(
            "UPDATE jobs SET frames_total = ? WHERE name = ?", (frames_total, name)
        )

    def record_frames(self, name: str, frames_done: int) -> None:
        self._database.execute(
            "UPDATE jobs SET frames_done = ? WHERE name = ?", (frames_done, name)
        )


def read_jobs(path: Path) -> list[JobRow]:
    """The jobs of a store that a farm may be writing; none where there is no store.

    Works in a workspace that one may only read. MultitrainError where the file is no store.
    """
    if not path.exists():
        return []
    for mode in ("mode=ro", "immutable=1"):  # the second where nobody can write beside the file
        try:
            with closing(
                sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)
            ) as database:
                return _all_rows(database)
        except sqlite3.OperationalError as error:
            reason = error
        except sqlite3.DatabaseError as error:
            raise MultitrainError(f"{path} is no store of jobs ({error})") from error
    raise MultitrainError(f"{path} cannot be read ({reason})") from reason


def _all_rows(database: sqlite3.Connection) -> list[JobRow]:
    rows = database.execute(f"SELECT {_COLUMNS} FROM jobs ORDER BY position")
    return [_row(row) for row in rows]


def _row(row: tuple[str, str, int, int, int, str, str]) -> JobRow:
    return JobRow(row[0], State(row[1]), *row[2:])

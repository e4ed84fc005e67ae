from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from unittest.mock import Mock

import pytest

from jobs.paths import Workspace
from jobs.states import State
from jobs.store import BUSY_SECONDS, JobRow, Store, read_jobs
from multitrain.ledger import PAUSE_SECONDS, Ledger

ROW = JobRow("a", State.RUNNING, 40, 100, 1, "gpu 0", "")


@pytest.fixture
def store(workspace: Workspace) -> Iterator[Store]:
    store = Store(workspace.store)
    store.add("a", frames_total=100)
    store.add("b", frames_total=100)
    yield store
    store.close()


def test_what_was_noted_is_written_with_the_next_save(store: Store) -> None:
    ledger = Ledger(store)
    ledger.note(replace(ROW, frames_done=20))
    ledger.note(ROW)
    assert ledger.save(0.0) == ""
    assert store.job("a") == ROW


def test_a_store_that_cannot_be_written_catches_up_later(
    store: Store, workspace: Workspace
) -> None:
    ledger = Ledger(store)
    other = sqlite3.connect(workspace.store, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    ledger.note(ROW)
    assert "locked" in ledger.save(0.0)
    ledger.note(replace(ROW, name="b"))
    assert "locked" in ledger.save(PAUSE_SECONDS)
    other.execute("ROLLBACK")
    other.close()
    assert ledger.save(2 * PAUSE_SECONDS) == ""
    assert [row.frames_done for row in read_jobs(workspace.store)] == [40, 40]


def limit_pages(store: Store, count: int) -> int:
    """SQLite's way to a full disk: at most so many pages, or as many as there are."""
    return int(store._database.execute(f"PRAGMA max_page_count = {count}").fetchone()[0])


def test_a_full_disk_leaves_the_state_before_and_the_store_usable(
    store: Store, workspace: Workspace
) -> None:
    ledger = Ledger(store)
    pages = limit_pages(store, 1)
    ledger.note(replace(ROW, error="long " * 10_000))
    assert "full" in ledger.save(0.0)
    assert [row.state for row in store.jobs()] == [State.QUEUED, State.QUEUED]
    limit_pages(store, pages + 100)
    assert ledger.save(PAUSE_SECONDS) == ""
    assert store.jobs()[0].error.startswith("long")


class Waits:
    """A store that notes how long it would wait for another writer."""

    def __init__(self) -> None:
        self.tries: list[float] = []

    def wait_at_most(self, seconds: float) -> None:
        self.tries.append(seconds)
        raise sqlite3.OperationalError("database is locked")


def test_a_tick_hardly_waits_and_does_not_try_every_time() -> None:
    store = Waits()
    ledger = Ledger(store)  # type: ignore[arg-type]
    ledger.note(ROW)
    told = [ledger.save(tick / 4) for tick in range(40)]
    assert told == ["database is locked"] * 40
    assert len(store.tries) == 10 / PAUSE_SECONDS
    assert max(store.tries) < 0.1
    assert ledger.save_patiently() == "database is locked"
    assert store.tries[-1] == BUSY_SECONDS


def test_a_store_that_was_damaged_meanwhile_does_not_end_the_night(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = sqlite3.DatabaseError("database disk image is malformed")
    monkeypatch.setattr(store, "save", Mock(side_effect=damaged))
    ledger = Ledger(store)
    ledger.note(ROW)
    assert "malformed" in ledger.save(0.0)

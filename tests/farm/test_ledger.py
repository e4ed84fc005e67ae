from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace

import pytest

from jobs.paths import Workspace
from jobs.states import State
from jobs.store import JobRow, Store, read_jobs
from multitrain.ledger import Ledger

ROW = JobRow("a", State.RUNNING, 40, 100, 1, "gpu 0", "")


@pytest.fixture
def store(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr("jobs.store.BUSY_SECONDS", 0.0)
    store = Store(workspace.store)
    store.add("a", frames_total=100)
    store.add("b", frames_total=100)
    yield store
    store.close()


def test_what_was_noted_is_written_with_the_next_save(store: Store) -> None:
    ledger = Ledger(store)
    ledger.note(replace(ROW, frames_done=20))
    ledger.note(ROW)
    assert ledger.save() == ""
    assert store.job("a") == ROW


def test_a_store_that_cannot_be_written_catches_up_later(
    store: Store, workspace: Workspace
) -> None:
    ledger = Ledger(store)
    other = sqlite3.connect(workspace.store, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    ledger.note(ROW)
    assert "locked" in ledger.save()
    ledger.note(replace(ROW, name="b"))
    assert "locked" in ledger.save()
    other.execute("ROLLBACK")
    other.close()
    assert ledger.save() == ""
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
    assert "full" in ledger.save()
    assert [row.state for row in store.jobs()] == [State.QUEUED, State.QUEUED]
    limit_pages(store, pages + 100)
    assert ledger.save() == ""
    assert store.jobs()[0].error.startswith("long")

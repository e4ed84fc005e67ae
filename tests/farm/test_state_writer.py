from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from unittest.mock import Mock

import pytest

from jobs.workspace.paths import Workspace
from jobs.workspace.states import State
from jobs.workspace.store import BUSY_SECONDS, JobRow, Store, read_jobs
from multitrain.farm.state_writer import PAUSE_SECONDS, StateWriter

ROW = JobRow("a", State.RUNNING, 40, 100, 1, "gpu 0", "")


@pytest.fixture
def store(workspace: Workspace) -> Iterator[Store]:
    store = Store(workspace.store)
    store.add([("a", 100)])
    store.add([("b", 100)])
    yield store
    store.close()


def test_what_was_noted_is_written_with_the_next_save(store: Store) -> None:
    writer = StateWriter(store)
    writer.note(replace(ROW, frames_done=20))
    writer.note(ROW)
    assert writer.save(0.0) == ""
    assert store.job("a") == ROW


def test_a_store_that_cannot_be_written_catches_up_later(
    store: Store, workspace: Workspace
) -> None:
    writer = StateWriter(store)
    other = sqlite3.connect(workspace.store, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writer.note(ROW)
    assert "locked" in writer.save(0.0)
    writer.note(replace(ROW, name="b"))
    assert "locked" in writer.save(PAUSE_SECONDS)
    other.execute("ROLLBACK")
    other.close()
    assert writer.save(2 * PAUSE_SECONDS) == ""
    assert [row.frames_done for row in read_jobs(workspace.store)] == [40, 40]


def limit_pages(store: Store, count: int) -> int:
    """SQLite's way to a full disk: at most so many pages, or as many as there are."""
    return int(store._database.execute(f"PRAGMA max_page_count = {count}").fetchone()[0])


def test_a_full_disk_leaves_the_state_before_and_the_store_usable(
    store: Store, workspace: Workspace
) -> None:
    writer = StateWriter(store)
    pages = limit_pages(store, 1)
    writer.note(replace(ROW, error="long " * 10_000))
    assert "full" in writer.save(0.0)
    assert [row.state for row in store.jobs()] == [State.QUEUED, State.QUEUED]
    limit_pages(store, pages + 100)
    assert writer.save(PAUSE_SECONDS) == ""
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
    writer = StateWriter(store)  # type: ignore[arg-type]
    writer.note(ROW)
    told = [writer.save(tick / 4) for tick in range(40)]
    assert told == ["database is locked"] * 40
    assert len(store.tries) == 10 / PAUSE_SECONDS
    assert max(store.tries) < 0.1
    assert writer.save_patiently() == "database is locked"
    assert store.tries[-1] == BUSY_SECONDS


def test_a_store_that_was_damaged_meanwhile_does_not_end_the_night(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = sqlite3.DatabaseError("database disk image is malformed")
    monkeypatch.setattr(store, "save", Mock(side_effect=damaged))
    writer = StateWriter(store)
    writer.note(ROW)
    assert "malformed" in writer.save(0.0)

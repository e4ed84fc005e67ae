from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.errors import MultitrainError
from jobs.paths import Workspace
from jobs.states import TRANSITIONS, State
from jobs.store import JobRow, Store, read_jobs


@pytest.fixture
def store(workspace: Workspace) -> Iterator[Store]:
    store = Store(workspace.store)
    yield store
    store.close()


def test_a_job_goes_through_its_states(store: Store) -> None:
    store.add("a", frames_total=100)
    store.transition("a", State.RUNNING, attempts=1, slot="gpu 0")
    store.record_frames("a", 40)
    assert store.job("a") == JobRow("a", State.RUNNING, 40, 100, 1, "gpu 0", "")
    store.transition("a", State.FAILED, attempts=1, error="no luck")
    assert store.job("a") == JobRow("a", State.FAILED, 40, 100, 1, "", "no luck")


def test_moves_that_the_table_lacks_are_refused(store: Store) -> None:
    store.add("a", frames_total=1)
    with pytest.raises(ValueError, match="cannot go from queued to done"):
        store.transition("a", State.DONE, attempts=0)
    with pytest.raises(ValueError, match="nobody"):
        store.transition("nobody", State.RUNNING, attempts=0)


def test_every_state_has_a_way_out_and_only_failures_are_silent() -> None:
    assert set(TRANSITIONS) == set(State)
    assert all(TRANSITIONS.values())
    assert {state for state in State if state.ended} == {
        State.DONE,
        State.FAILED,
        State.CANCELLED,
    }


def test_jobs_come_in_the_order_of_their_submission(store: Store) -> None:
    for name in ("z", "a", "m"):
        store.add(name, frames_total=1)
    store.forget("a")
    store.add("a", frames_total=1)
    assert [job.name for job in store.jobs()] == ["z", "m", "a"]


def test_a_transaction_that_fails_leaves_the_state_before_it(store: Store) -> None:
    store.add("a", frames_total=1)

    def change_and_break() -> None:
        with store.transaction():
            store.record_frames("a", 1)
            store.add("a", frames_total=2)

    with pytest.raises(sqlite3.IntegrityError):
        change_and_break()
    row = store.job("a")
    assert row is not None
    assert (row.frames_done, row.frames_total) == (0, 1)


def test_reading_while_somebody_writes(store: Store, workspace: Workspace) -> None:
    store.add("a", frames_total=1)
    with store.transaction():
        store.record_frames("a", 1)
        assert [job.frames_done for job in read_jobs(workspace.store)] == [0]
    assert [job.frames_done for job in read_jobs(workspace.store)] == [1]


def test_no_store_means_no_jobs_and_makes_none(workspace: Workspace) -> None:
    assert read_jobs(workspace.store) == []
    assert not workspace.store.exists()


def test_a_file_that_is_no_store_is_told(tmp_path: Path) -> None:
    path = tmp_path / "farm.sqlite"
    path.write_bytes(b"this is not a database, not even a small one" * 100)
    with pytest.raises(MultitrainError, match="move it away"):
        Store(path)
    with pytest.raises(MultitrainError, match="is no store of jobs"):
        read_jobs(path)

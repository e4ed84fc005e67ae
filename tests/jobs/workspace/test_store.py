from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from jobs.errors import DamagedStore, MultitrainError, UsageError
from jobs.workspace.paths import Workspace
from jobs.workspace.states import TRANSITIONS, State
from jobs.workspace.store import VERSION, JobRow, Store, create, read_jobs, set_aside


@pytest.fixture
def store(workspace: Workspace) -> Iterator[Store]:
    store = Store(workspace.store)
    yield store
    store.close()


def test_a_job_goes_through_its_states(store: Store) -> None:
    store.add([("a", 100)])
    store.transition("a", State.RUNNING, attempts=1, slot="gpu 0")
    store.record_frames("a", 40)
    assert store.job("a") == JobRow("a", State.RUNNING, 40, 100, 1, "gpu 0", "")
    store.transition("a", State.FAILED, attempts=1, error="no luck")
    assert store.job("a") == JobRow("a", State.FAILED, 40, 100, 1, "", "no luck")


def test_moves_that_the_table_lacks_are_refused(store: Store) -> None:
    store.add([("a", 1)])
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
        store.add([(name, 1)])
    assert [job.name for job in store.jobs()] == ["z", "a", "m"]


def test_a_transaction_that_fails_leaves_the_state_before_it(store: Store) -> None:
    store.add([("a", 1)])

    def change_and_break() -> None:
        with store.transaction():
            store.record_frames("a", 1)
            store.add([("a", 2)])

    with pytest.raises(sqlite3.IntegrityError):
        change_and_break()
    row = store.job("a")
    assert row is not None
    assert (row.frames_done, row.frames_total) == (0, 1)


def test_it_opens_with_a_newer_sqlite(store: Store, workspace: Workspace) -> None:
    """TensorFlow brings one of its own, which then is the process's."""
    store.add([("a", 1)])
    script = (
        "import sys, tensorflow\nfrom pathlib import Path\n"
        "from jobs.workspace.store import Store\nprint(len(Store(Path(sys.argv[1])).jobs()))"
    )
    call = [sys.executable, "-c", script, str(workspace.store)]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


def test_reading_while_somebody_writes(store: Store, workspace: Workspace) -> None:
    store.add([("a", 1)])
    with store.transaction():
        store.record_frames("a", 1)
        assert [job.frames_done for job in read_jobs(workspace.store)] == [0]
    assert [job.frames_done for job in read_jobs(workspace.store)] == [1]


def test_no_store_means_no_jobs_and_makes_none(workspace: Workspace) -> None:
    assert read_jobs(workspace.store) == []
    assert not workspace.store.exists()


Break = Callable[[Path], None]


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 4096)


def cut_within_a_page(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1000)


def scribble(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096)


def sql(*statements: str) -> Break:
    def change(path: Path) -> None:
        with closing(sqlite3.connect(path)) as database:
            for statement in statements:
                database.execute(statement)
            database.commit()

    return change


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "what was put there").touch()


DAMAGE: dict[str, Break] = {
    "empty": lambda path: path.write_bytes(b"") and None,
    "text": lambda path: path.write_bytes(b"no database, not even a small one" * 100) and None,
    "cut": cut,
    "cut within a page": cut_within_a_page,
    "scribbled on": scribble,
    "another table": sql("DROP TABLE jobs", "CREATE TABLE songs (name TEXT)"),
    "a column less": sql("ALTER TABLE jobs DROP COLUMN slot"),
    "an unknown state": sql("UPDATE jobs SET state = 'lost'"),
    "no text": sql("UPDATE jobs SET error = CAST(x'ff' AS TEXT)"),
    "a folder": folder,
}
damaged = pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())


def a_store(path: Path) -> None:
    rows = (JobRow(f"job {n}", State.QUEUED, 0, 1, 0, "", "x" * 100) for n in range(100))
    create(path, rows)


@damaged
def test_a_damaged_store_is_told_and_left_as_it_is(damage: Break, workspace: Workspace) -> None:
    path = workspace.store
    a_store(path)
    damage(path)
    before = sorted((each.name, content_of(each)) for each in workspace.runs.iterdir())
    with pytest.raises(DamagedStore, match=r"farm\.sqlite is damaged \(.+\); .*sets it aside"):
        Store(path)
    with pytest.raises(DamagedStore, match=r"farm\.sqlite is damaged"):
        # A page that no row stands in is looked at by the farm alone.
        read_jobs(path)
    assert sorted((each.name, content_of(each)) for each in workspace.runs.iterdir()) == before


def content_of(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def test_what_is_set_aside_never_takes_anothers_name(workspace: Workspace) -> None:
    for number, content in enumerate((b"first", b"second"), 1):
        a_store(workspace.store)
        workspace.store.write_bytes(content)
        beside = workspace.store.with_name("farm.sqlite-wal")
        beside.write_bytes(content)
        aside = set_aside(workspace.store)
        assert aside == workspace.runs / f"farm.sqlite.damaged-{number}"
        assert aside.read_bytes() == content
        assert aside.with_name(f"{aside.name}-wal").read_bytes() == content
        assert not workspace.store.exists()
        assert not beside.exists()


def test_a_store_of_a_newer_version_is_refused_and_stays(workspace: Workspace) -> None:
    a_store(workspace.store)
    sql(f"PRAGMA user_version = {VERSION + 1}", "DROP TABLE jobs")(workspace.store)
    before = workspace.store.read_bytes()
    for use in (Store, read_jobs):
        with pytest.raises(UsageError, match="newer version of multitrain than this one; update"):
            use(workspace.store)
    assert workspace.store.read_bytes() == before


@pytest.mark.parametrize("version", [0, 1])
def test_a_store_of_an_earlier_version_goes_on(workspace: Workspace, version: int) -> None:
    a_store(workspace.store)
    newer = ("priority", "sheet_priority", "submitted", "job")
    sql(
        *(f"ALTER TABLE jobs DROP COLUMN {column}" for column in newer),
        f"PRAGMA user_version = {version}",
        "PRAGMA journal_mode = WAL",
    )(workspace.store)
    before = read_jobs(workspace.store)
    with closing(Store(workspace.store)) as store:
        assert store.jobs() == before
        assert len(before) == 100
    with closing(sqlite3.connect(workspace.store)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_a_store_that_cannot_be_opened_is_not_called_damaged(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_store(workspace.store)
    monkeypatch.setattr("jobs.workspace.store.BUSY_SECONDS", 0.0)
    with closing(sqlite3.connect(workspace.store, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(MultitrainError, match="cannot be") as raised:
            Store(workspace.store)
    assert not isinstance(raised.value, DamagedStore)


@pytest.mark.parametrize("read", [read_jobs, lambda path: Store(path).jobs()], ids=["read", "open"])
def test_a_change_that_was_cut_off_is_undone(
    read: Callable[[Path], list[JobRow]], workspace: Workspace, tmp_path: Path
) -> None:
    """As a process that is killed leaves it: pages written, the journal still there."""
    a_store(workspace.store)
    wanted = read_jobs(workspace.store)
    cut_off = tmp_path / "cut off" / "farm.sqlite"
    cut_off.parent.mkdir()
    with closing(sqlite3.connect(workspace.store, isolation_level=None)) as writer:
        writer.execute("PRAGMA cache_size = 1")  # pages go to the file before the commit
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE jobs SET error = error || error, state = 'failed'")
        for ending in ("", "-journal"):
            source = workspace.store.with_name(f"farm.sqlite{ending}")
            shutil.copy(source, cut_off.with_name(f"farm.sqlite{ending}"))
        writer.execute("ROLLBACK")

    assert read(cut_off) == wanted

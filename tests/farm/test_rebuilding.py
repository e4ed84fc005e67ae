"""A store that is lost or damaged comes back from the jobs' folders, and nothing else is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import pytest

from jobs.errors import UsageError
from jobs.workspace.failures import Failure, Kind
from jobs.workspace.paths import Workspace
from jobs.workspace.states import State
from jobs.workspace.store import JobRow, Store, create, read_jobs
from multitrain.farm.rebuilding import leave_whole, open_store
from multitrain.farm.submission import submit
from tests.farm.simulation import make_job


def four_jobs(workspace: Workspace) -> list[JobRow]:
    """Folders of a job that is done, one that failed, one that was stopped, one whose folder was
    removed; of what is no job of ours, too. Returns the rows in the order of their beginnings.
    """
    workspace.renders.mkdir(parents=True, exist_ok=True)
    for hour, name in enumerate(("stopped", "failed", "done")):
        job, paths = make_job(name), workspace.job(name)
        job.save(paths)
        os.utime(paths.job_file, (hour * 3600, hour * 3600))
    total = make_job("done").plan.frames_total
    line = {"time": 1.0, "step": 2, "frame": 4}
    workspace.job("stopped").progress.write_text(json.dumps(line) + "\n")
    Failure(Kind.DIVERGED, "losses became NaN").save(workspace.job("failed").training_failure)
    for name, frames in (("done", total), ("moved", 77)):
        workspace.job(name).manifest.write_text(json.dumps({"job": name, "frames": frames}))
    os.utime(workspace.job("moved").manifest, (3 * 3600, 3 * 3600))
    # Neither of these is a job.
    (workspace.renders / "songs.json").write_text("[]")
    workspace.job("copy").run.mkdir()
    workspace.job("copy").job_file.write_bytes(workspace.job("done").job_file.read_bytes())
    workspace.job("odd").run.mkdir()
    workspace.job("odd").job_file.write_text("[" * 100_000)
    return [
        JobRow("stopped", State.QUEUED, 4, total, 0, "", ""),
        JobRow("failed", State.FAILED, 0, total, 0, "", "losses became NaN"),
        JobRow("done", State.DONE, total, total, 0, "", ""),
        JobRow("moved", State.DONE, 77, 77, 0, "", ""),
    ]


@pytest.mark.parametrize("content", [b"", b"text", None], ids=["empty", "text", "lost"])
def test_the_jobs_come_back(workspace: Workspace, content: bytes | None) -> None:
    rows = four_jobs(workspace)
    if content is not None:
        workspace.store.write_bytes(content)
    told: list[str] = []
    with closing(open_store(workspace, told.append)) as store:
        assert store.jobs() == rows
        submit(workspace, store, [make_job("stopped"), make_job("failed")])
        assert [row.state for row in store.jobs()] == ["queued", "queued", "done", "done"]
    (line,) = told
    assert str(workspace.store) in line
    assert "made anew of 4 jobs' folders" in line
    if content is not None:
        assert (workspace.runs / "farm.sqlite.damaged-1").read_bytes() == content
        assert "farm.sqlite.damaged-1" in line


def test_a_new_workspace_has_a_new_store_without_a_word(workspace: Workspace) -> None:
    told: list[str] = []
    with closing(open_store(workspace, told.append)) as store:
        assert store.jobs() == []
    assert told == []


def test_a_store_that_is_whole_is_not_touched(workspace: Workspace) -> None:
    row = JobRow("other", State.CANCELLED, 0, 1, 0, "", "")
    create(workspace.store, [row])
    four_jobs(workspace)
    with closing(open_store(workspace, pytest.fail)) as store:
        assert store.jobs() == [row]


def test_a_newer_store_is_never_made_anew(workspace: Workspace) -> None:
    four_jobs(workspace)
    with closing(open_store(workspace, lambda _: None)) as store:
        store._database.execute("PRAGMA user_version = 99")
    before = workspace.store.read_bytes()
    with pytest.raises(UsageError, match="newer version"):
        open_store(workspace, pytest.fail)
    assert workspace.store.read_bytes() == before
    assert list(workspace.runs.glob("farm.sqlite.*")) == []


@pytest.mark.parametrize(
    ("damage", "says", "code"),
    [(b"text", "sets it aside", 1), (None, "newer version of multitrain than this one; update", 2)],
)
def test_status_says_what_to_do(
    workspace: Workspace, damage: bytes | None, says: str, code: int
) -> None:
    if damage is None:
        with closing(Store(workspace.store)) as store:
            store._database.execute("PRAGMA user_version = 99")
    else:
        workspace.runs.mkdir()
        workspace.store.write_bytes(damage)
    for how in ([], ["--json"]):
        status = [sys.executable, "-m", "multitrain", "status", *how]
        ended = subprocess.run(
            status, cwd=workspace.root, capture_output=True, text=True, check=False
        )
        assert ended.returncode == code
        assert str(workspace.store) in ended.stderr
        assert says in ended.stderr
        assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("harm", ["damaged", "removed", "none"])
def test_a_night_leaves_a_whole_store_with_all_that_the_farm_knew(
    workspace: Workspace, harm: str
) -> None:
    rows = [row for row in four_jobs(workspace) if row.name != "moved"]
    rows = [replace(row, attempts=2) for row in rows]
    rows.append(JobRow("never begun", State.QUEUED, 0, 9, 0, "", ""))
    create(workspace.store, [replace(row, attempts=1) for row in rows])
    if harm == "damaged":
        workspace.store.write_bytes(workspace.store.read_bytes()[:5000])
    if harm == "removed":
        workspace.store.unlink()
    told: list[str] = []

    leave_whole(workspace, rows, (), told.append)

    kept = {row.name: row for row in read_jobs(workspace.store)}
    assert [kept[row.name] for row in rows] == rows
    assert bool(told) == (harm != "none")


def test_a_journal_of_a_store_that_was_removed_is_none_of_the_new_ones(
    workspace: Workspace,
) -> None:
    """SQLite would roll it back into the new store."""
    beside = workspace.store.with_name("farm.sqlite-journal")
    beside.parent.mkdir(parents=True, exist_ok=True)
    beside.write_bytes(b"left by a farm that was killed")
    with closing(open_store(workspace, [].append)) as store:
        assert store.jobs() == []
    assert not beside.exists()
    assert workspace.runs.joinpath("farm.sqlite.damaged-1-journal").exists()

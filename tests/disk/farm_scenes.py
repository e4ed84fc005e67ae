"""What the farm keeps, as scenes."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from unittest import mock

from jobs.workspace.paths import Workspace
from jobs.workspace.states import State
from jobs.workspace.store import Store
from multitrain.executors import Launch
from multitrain.executors.local import LocalExecutor
from multitrain.farm import workspace_lock
from multitrain.farm.rebuilding import open_store
from multitrain.farm.render_keeper import RenderKeeper
from multitrain.farm.submission import submit
from multitrain.slots.leases import LeaseFolder
from tests.disk.small_job import a_job


def two_jobs(workspace: Workspace) -> None:
    """One that has begun, and one whose removal was cut off before it had begun."""
    a_job("begun").save(workspace.job("begun"))
    workspace.job("new").removed.mkdir()


def open_a_store(workspace: Workspace) -> None:
    with closing(Store(workspace.store)) as store:
        submit(workspace, store, [a_job()])


def an_older_store(workspace: Workspace) -> None:
    """As the version before priorities left it."""
    open_a_store(workspace)
    with closing(sqlite3.connect(workspace.store)) as database:
        for column in ("priority", "sheet_priority", "submitted", "job"):
            database.execute(f"ALTER TABLE jobs DROP COLUMN {column}")
        database.execute("PRAGMA user_version = 1")


def a_damaged_store(workspace: Workspace) -> None:
    two_jobs(workspace)
    workspace.store.write_bytes(b"no store")


def make_the_store_anew(workspace: Workspace) -> None:
    with closing(open_store(workspace, lambda _: None)):
        pass


def keep_the_store(workspace: Workspace) -> None:
    jobs = [a_job("begun"), a_job("new")]
    with closing(Store(workspace.store)) as store:
        submit(workspace, store, jobs)
        submit(workspace, store, jobs)
        store.wait_at_most(1.0)
        store.transition("begun", State.RUNNING, attempts=1)
        store.record_frames("begun", 3)
        store.forget(["new"])


def start_over(workspace: Workspace) -> None:
    jobs = [a_job("begun"), a_job("new"), a_job("newer")]
    with closing(Store(workspace.store)) as store:
        submit(workspace, store, jobs, ["all"])
        jobs[0].save(workspace.job("begun"))


class NoDisplay:
    def note(self, text: str) -> None: ...


class NoStop:
    requests = 0


def hold(workspace: Workspace) -> None:
    with workspace_lock.hold(workspace, NoDisplay(), NoStop()):
        pass


def lease(workspace: Workspace) -> None:
    for name in ("GPU-a", "GPU-b"):
        descriptor = LeaseFolder(workspace.root / "leases").take(name)
        assert descriptor is not None
        os.close(descriptor)


def start_a_process(workspace: Workspace) -> None:
    launch = Launch(command=("true",), log=workspace.job("job").log)
    process = LocalExecutor().start(launch)
    process._popen.wait()


def keep_a_worker(workspace: Workspace) -> None:
    """The file that it is to touch is made, at the second look at the latest."""
    process = mock.Mock(**{"poll.return_value": None})
    executor = mock.Mock(**{"start.return_value": process})
    keeper = RenderKeeper(workspace, executor, encoders=1)
    keeper.take("job")
    for now in (0.0, 1.0):
        keeper.keep_alive(now)

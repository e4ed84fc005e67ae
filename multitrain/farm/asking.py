"""A user's request: given to the farm that runs here, or carried out without one, by the same code.

Without a farm the workspace's lock is taken, so that none begins meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing

from jobs.errors import MultitrainError, WorkspaceBusy
from jobs.workspace import requests
from jobs.workspace.at_work import is_held
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from jobs.workspace.requests import Answer, Request
from jobs.workspace.store import JobRow
from multitrain.farm.active_job import ActiveJob, adopted
from multitrain.farm.job_table import JobTable
from multitrain.farm.rebuilding import open_store
from multitrain.farm.state_writer import StateWriter
from multitrain.farm.steering import Steering
from multitrain.farm.workspace_lock import COMMAND, hold

PATIENCE_SECONDS = 120.0  # for an answer of a farm that is at work


class NotAnswered(MultitrainError):
    """The farm that runs here has not answered in time; the request still waits for it."""


def ask(workspace: Workspace, request: Request, note: Callable[[str], None]) -> Answer:
    """Have `request` carried out, after those that wait already; returns what became of it.

    `note` gets messages while that takes waiting. NotAnswered; OSError where the workspace cannot
    be written.
    """
    path = requests.send(workspace, request)
    try:
        for answer in requests.looks(path, PATIENCE_SECONDS):
            if answer is None and is_held(workspace):
                time.sleep(requests.LOOK_SECONDS)
            elif answer is None:
                _without_a_farm(workspace, note)
    except BaseException:
        path.unlink(missing_ok=True)  # whoever stops this command does not want it any more
        raise
    if answer is None:
        raise NotAnswered(
            f"the farm that runs in {workspace.root} has not answered for "
            f"{PATIENCE_SECONDS:g} seconds; the request waits for it in {path}"
        )
    return answer


def _without_a_farm(workspace: Workspace, note: Callable[[str], None]) -> None:
    """Carry out all requests that wait; nothing where a farm begins just now."""
    try:
        with (
            hold(workspace, note, _Sleep(), COMMAND),
            closing(open_store(workspace, note)) as store,
        ):
            table = JobTable([], StateWriter(store))
            steering = Steering(workspace, store, table, _adopt_in(workspace))
            steering.look(time.monotonic())
            steering.answer(is_stored=table.save(time.monotonic()))
    except WorkspaceBusy:
        return


def _adopt_in(workspace: Workspace) -> Callable[[JobFile, JobRow], ActiveJob]:
    return lambda file, row: adopted(workspace, file, row)


class _Sleep:
    """Waiting that nobody asks to stop but by a signal, which ends this process."""

    requests = 0

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)

"""Requests of users, carried out by the farm while it works.

Each tick takes what has come, in its order. A request is answered only when the store holds what it
has changed: a farm that is killed before leaves it to the next one, and twice is once.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from jobs.errors import MultitrainError, UsageError
from jobs.workspace import requests
from jobs.workspace.changes import Begun, Changed, change
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from jobs.workspace.requests import Answer, Order, Request
from jobs.workspace.states import State
from jobs.workspace.store import JobRow, Store
from multitrain.farm.active_job import ActiveJob
from multitrain.farm.events import Happening
from multitrain.farm.job_table import JobTable
from multitrain.farm.orders import Decision, decide
from multitrain.farm.submission import job_of_before, submit, submitted, told
from multitrain.farm.submission_plan import Entry, plan_submission

SWEEP_SECONDS = 3600.0


class SteeredFarm(Protocol):
    """What is asked of the farm beyond its jobs."""

    def admit(self, jobs: Sequence[JobFile]) -> None:
        """UsageError where the farm cannot take these jobs."""

    def stop_rendering(self, job: str) -> None:
        """Nothing is made any more of this job's frames."""

    def drain(self) -> None:
        """Every job stops at a checkpoint, then the farm ends."""


class Steering:
    """Carries out what lies in `runs/.requests`."""

    def __init__(
        self,
        workspace: Workspace,
        store: Store,
        table: JobTable,
        adopt: Callable[[JobFile, JobRow], ActiveJob],
        farm: SteeredFarm | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """`adopt` makes a job of the farm's; without a `farm`, only the store is changed."""
        self._workspace, self._store, self._table = workspace, store, table
        self._adopt, self._farm = adopt, farm
        self._since = clock_ns()
        self._answers: dict[Path, Answer] = {}  # to what is done, and may not be stored yet
        self._sweeps_at = float("-inf")

    def look(self, now: float) -> None:
        """Carry out what has come. OSError where the workspace cannot be reached."""
        if now >= self._sweeps_at:
            self._sweeps_at = now + SWEEP_SECONDS
            requests.sweep(self._workspace)
        for path in requests.waiting(self._workspace):
            if path in self._answers:
                continue
            try:
                request = requests.read(path)
            except ValueError:
                self._answers[path] = requests.NOT_UNDERSTOOD
                continue
            if request:
                self._answers[path] = self._carry_out(request, path)

    def answer(self, *, is_stored: bool) -> None:
        """Answer what was carried out, once the store holds it."""
        for path in list(self._answers) if is_stored else ():
            with suppress(OSError):  # a full disk: at the next tick
                requests.answer(path, self._answers[path])
                del self._answers[path]

    def _carry_out(self, request: Request, path: Path) -> Answer:
        try:
            match request.order:
                case Order.DRAIN:
                    return self._drain_if_meant(path)
                case Order.SUBMIT:
                    return self._submit(request.jobs)
            return self._steer(request)
        except (MultitrainError, OSError, sqlite3.Error) as error:
            return Answer(refused=(str(error),), is_wrong=isinstance(error, UsageError))

    def _drain_if_meant(self, path: Path) -> Answer:
        if self._farm is None or requests.sent_at(path) < self._since:
            return Answer(refused=("no farm is running here: there is nothing to drain",))
        self._farm.drain()
        return Answer(done=("the farm drains: every job stops at a checkpoint",))

    # --- jobs that are here --------------------------------------------------------------------

    def _steer(self, request: Request) -> Answer:
        rows = {row.name: _left_behind(row) for row in self._store.jobs()}
        rows |= {row.name: row for row in self._table.rows()}
        verdict = decide(request, list(rows.values()))
        if verdict.wrong:
            return Answer(refused=(verdict.wrong,), is_wrong=True)
        done: list[str] = []
        refused: list[str] = []
        for each in verdict.decisions:
            said = f"{each.row.name} {each.said}"
            if not each.is_refused and (why := self._carry_out_one(each, request)):
                refused.append(f"{each.row.name}: {why}")
            else:
                (refused if each.is_refused else done).append(said)
        if request.now and done:
            done += self._make_room(request.names)
        return Answer(done=tuple(done), refused=tuple(refused))

    def _carry_out_one(self, decision: Decision, request: Request) -> str:
        """Why a decision cannot be carried out; empty where it was."""
        row = decision.row
        job = self._table.get(row.name)
        if decision.is_forgotten:
            self._table.remove(row.name)
            self._store.forget([row.name])
            return ""
        if row.state is State.QUEUED and (request.order is Order.REQUEUE or not job):
            return self._queue(row, starts_over=request.fresh)
        if not job:  # of another sheet than this farm's
            self._store.save([row])
            return ""
        self._change(job, row)
        self._table.tell(Happening.STEERED, job, decision.said)
        return ""

    def _change(self, job: ActiveJob, row: JobRow) -> None:
        if row.priority != job.priority:
            self._table.prioritise(job, row.priority)
        if row.state is job.state:
            return
        if self._farm and job.state is State.RENDERING:
            self._farm.stop_rendering(job.name)
        self._table.move(job, row.state, row.error)
        if job.trying and row.state in (State.PAUSED, State.CANCELLED):
            job.trying.drain()

    def _queue(self, row: JobRow, *, starts_over: bool) -> str:
        """Queue a job anew, as if its sheet were submitted again; returns why that cannot be."""
        job = self._table.get(row.name)
        if job and (job.trying or job.state is State.QUEUED):
            self._change(job, row)
            return ""
        file = job.file if job else self._file_of(row.name)
        if file is None:
            return "its settings are not known any more; submit its sheet"
        if row != self._store.job(row.name):
            self._store.save([row])  # neither paused nor cancelled any more
        self._take([file], [row.name] if starts_over else [], for_every_farm=True)
        return ""

    def _file_of(self, name: str) -> JobFile | None:
        texts = self._store.submitted(only_for_every_farm=False)
        return job_of_before(self._workspace.job(name), texts.get(name, ""))

    def _make_room(self, names: Collection[str]) -> list[str]:
        """Have the least important running jobs stop, so that the named ones have their slots."""
        wanted = [job for name in names if (job := self._table.get(name))]
        wanted = [job for job in wanted if job.state is State.QUEUED]
        missing = sum(job.file.spec.gpus for job in wanted)
        told = []
        for job in reversed(self._table.in_state(State.RUNNING)):
            if missing <= 0:
                break
            if job.trying and not job.trying.condemned and job.name not in names:
                job.trying.drain()
                missing -= len(job.trying.lease.slots)
                told.append(f"{job.name} makes room: it stops at a checkpoint and is queued again")
        return told

    # --- jobs of a sheet -----------------------------------------------------------------------

    def _submit(self, jobs: Sequence[JobFile]) -> Answer:
        if self._farm:
            self._farm.admit(jobs)
        if trouble := self._table.save_patiently():
            return Answer(refused=(f"the states of jobs cannot be written: {trouble}",))
        at_work = {job.spec.name: job for job in jobs if self._is_at_work(job.spec.name)}
        others = [job for job in jobs if job.spec.name not in at_work]
        changed, refused = self._changes(at_work.values())
        if refused:
            try:
                plan_submission(self._workspace, self._store.jobs(), others, ())
            except UsageError as error:
                refused.append(str(error))
            raise UsageError("\n".join(refused))
        entries = self._take(others, for_every_farm=True)
        lines = {entry.job.spec.name: told(entry) for entry in entries}
        lines |= {job.name: [self._go_on_with(job, how)] for job, how in changed}
        return Answer(done=tuple(line for job in jobs for line in lines[job.spec.name]))

    def _is_at_work(self, name: str) -> bool:
        job = self._table.get(name)
        return bool(job and (job.trying or job.state in (State.RUNNING, State.RENDERING)))

    def _changes(
        self, wanted: Iterable[JobFile]
    ) -> tuple[list[tuple[ActiveJob, Changed]], list[str]]:
        """How jobs at work go on with the rows `wanted`, and why some cannot."""
        changes, refused = [], []
        for file in wanted:
            job = self._table.get(file.spec.name)
            assert job, "it is at work here"
            how = change(Begun(job.file, job.frames_done, job.checkpoint is not None), file)
            if how.refusal:
                refused.append(f"{job.name} has begun with other settings: {how.refusal}")
            elif job.state is State.RENDERING and not how.is_at_once:
                refused.append(f"{job.name}: its film is being finished; submit it when it is done")
            else:
                changes.append((job, how))
        return changes, refused

    def _go_on_with(self, job: ActiveJob, how: Changed) -> str:
        """Have a job at work go on with other settings; returns a line for people."""
        self._store.submit([submitted(how.job, for_every_farm=True)])
        if row := self._store.job(job.name):
            self._table.prioritise(job, row.priority)
        if how.job == job.file:
            return f"{job.name} is {job.state} already"
        self._table.replace_file(job, how.job)
        how.job.save(job.paths)
        if how.is_at_once or not job.trying:
            return f"{job.name} goes on with the new settings"
        job.trying.drain()
        return f"{job.name} stops at a checkpoint and goes on with the new settings"

    def _take(
        self, jobs: Sequence[JobFile], fresh: Collection[str] = (), *, for_every_farm: bool = False
    ) -> list[Entry]:
        """Submit jobs that are not at work, and take them up."""
        entries = submit(self._workspace, self._store, jobs, fresh, for_every_farm=for_every_farm)
        for entry in entries:
            row = self._store.job(entry.job.spec.name)
            assert row, "it was submitted"
            job = self._adopt(entry.job, row)
            self._table.add(job)
            self._table.tell(Happening.STEERED, job, f"is {row.state}, as submitted")
        return entries


def _left_behind(row: JobRow) -> JobRow:
    """A job that no farm works on, whatever the last one wrote before it was killed."""
    return replace(row, slot="", state=State.QUEUED if row.state is State.RUNNING else row.state)

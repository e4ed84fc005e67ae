"""Requests of users, carried out by the farm while it works.

Each tick takes what has come, in its order. A sheet with thousands of jobs is read over several
ticks (`intake`), then taken in one, so that no kill leaves a part of it. A request is answered only
when the store holds what it has changed: a farm that is killed before leaves it to the next one,
and twice is once.

What changes a job's files waits until nobody works on them: its trainer has stopped at a
checkpoint, and the render worker, which is started again, has ended.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from jobs.errors import MultitrainError, UsageError
from jobs.settings.words import start_over
from jobs.workspace import requests
from jobs.workspace.changes import Begun, Changed, change
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from jobs.workspace.requests import Answer, Order, Request
from jobs.workspace.states import State
from jobs.workspace.store import JobRow, Store
from multitrain.farm.active_job import ActiveJob
from multitrain.farm.entries import Entry
from multitrain.farm.events import Happening
from multitrain.farm.intake import Intake
from multitrain.farm.job_table import JobTable
from multitrain.farm.orders import Decision, decide
from multitrain.farm.submission import job_of_before, submit, submitted, told
from multitrain.farm.submission_plan import plan_submission

SWEEP_SECONDS = 3600.0
READ_SECONDS = 0.02  # of a tick, for a sheet that is read
MOST_TOLD = 20  # jobs that are taken up at once, each in a line

log = logging.getLogger(__name__)


class SteeredFarm(Protocol):
    """What is asked of the farm beyond its jobs."""

    def admit(self, jobs: Sequence[JobFile]) -> None:
        """UsageError where the farm cannot take these jobs."""

    def free_slots(self) -> int:
        """How many slots a job could have now."""

    def renders(self, job: str) -> bool:
        """Whether the render worker may be at work on this job."""

    def stop_rendering(self, job: str) -> None:
        """Nothing is made any more of this job's frames."""

    def rest_rendering(self) -> bool:
        """End the render worker, until `go_on_rendering`; whether it has ended."""

    def go_on_rendering(self) -> None:
        """The render worker may be started again."""

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
        since_ns: int | None = None,
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`adopt` makes a job of the farm's; without a `farm`, only the store is changed.

        `since_ns` is when the farm took the workspace, in unix nanoseconds; None: now.
        """
        self._stopwatch = stopwatch
        self._intake: Intake | None = None  # a large request that is being read
        self._workspace, self._store, self._table = workspace, store, table
        self._adopt, self._farm = adopt, farm
        self._since_ns = time.time_ns() if since_ns is None else since_ns
        self._answers: dict[Path, Answer] = {}  # to what is done, and may not be stored yet
        self._answered: set[Path] = set()  # files that are still there, whatever keeps them
        self._sweeps_at = float("-inf")

    @property
    def is_busy(self) -> bool:
        """Whether a request is being read: the next tick goes on with it."""
        return self._intake is not None

    def look(self, now: float) -> None:
        """Carry out what has come. OSError where the workspace cannot be reached."""
        if now >= self._sweeps_at:
            self._sweeps_at = now + SWEEP_SECONDS
            requests.sweep(self._workspace)
        waits, until = False, self._stopwatch() + READ_SECONDS
        begun, self._intake = self._intake, None  # gone where its file is gone
        for path in requests.waiting(self._workspace):
            if path in self._answers or path in self._answered:
                continue
            intake = begun if begun and begun.path == path else Intake(path)
            try:
                is_read = intake.go_on(lambda: not self._farm or self._stopwatch() < until)
            except ValueError:
                self._answers[path] = requests.NOT_UNDERSTOOD
                continue
            except OSError:  # another user's, say, who lets nobody read it: the others go on
                continue
            if not is_read:
                self._intake = intake  # and those behind it wait, to keep the order
                break
            request = intake.request
            if request and not self._has_hands_free(request):
                waits = True  # and those behind it
                break
            if request:
                self._answers[path] = self._carry_out(request, path)
        waits |= self._take_up_changes()
        if self._farm and not waits:
            self._farm.go_on_rendering()

    def answer(self, *, is_stored: bool) -> None:
        """Answer what was carried out, once the store holds it."""
        for path in list(self._answers) if is_stored else ():
            with suppress(OSError):  # a full disk: at the next tick
                requests.answer(path, self._answers[path])
                del self._answers[path]
                if path.exists():
                    self._answered.add(path)

    def _carry_out(self, request: Request, path: Path) -> Answer:
        try:
            match request.order:
                case Order.DRAIN:
                    return self._drain_if_meant(path)
                case Order.SUBMIT:
                    return self._submit(request.jobs)
            return self._steer(request)
        except (MultitrainError, OSError) as error:
            return Answer(refused=(str(error),), is_wrong=isinstance(error, UsageError))
        except sqlite3.Error as error:
            why = f"the states of jobs cannot be written ({error}); try again in a while"
            return Answer(refused=(why,))
        except Exception as error:  # one strange request must not end the night
            log.debug("the request %s", path, exc_info=True)
            return Answer(refused=(f"it cannot be carried out: {type(error).__name__}: {error}",))

    def _drain_if_meant(self, path: Path) -> Answer:
        if self._farm is None or requests.sent_at(path) < self._since_ns:
            return Answer(refused=("no farm is running here: there is nothing to drain",))
        self._farm.drain()
        return Answer(done=("the farm drains: every job stops at a checkpoint",))

    # --- hands off jobs' files -----------------------------------------------------------------

    def _has_hands_free(self, request: Request) -> bool:
        """Whether nobody works on the files that the request will move; who does is ended."""
        if not (self._farm and request.order is Order.REQUEUE and request.fresh):
            return True
        names = request.names or [row.name for row in self._table.rows()]
        return not any(map(self._farm.renders, names)) or self._farm.rest_rendering()

    def _take_up_changes(self) -> bool:
        """Have jobs go on with new settings whose trainer has ended; whether that has to wait."""
        changed = [job for job in self._table.changing.values() if not job.trying]
        if self._farm is None or not changed:
            return False
        is_rendered = any(self._farm.renders(job.name) for job in changed)
        if is_rendered and not self._farm.rest_rendering():
            return True
        for job in changed:
            assert job.wanted, "that is why it is changing"
            self._take_up(job, job.wanted)
        return False

    def _take_up(self, job: ActiveJob, file: JobFile) -> None:
        self._table.settle_change(job)
        if job.state is State.RENDERING:
            text = "is trained already; what has changed counts when it is submitted once more"
            self._table.tell(Happening.STEERED, job, text)
            return
        try:
            self._take([file], for_every_farm=True)
        except (MultitrainError, OSError, sqlite3.Error) as error:
            self._table.tell(Happening.TROUBLE, job, f"goes on with its old settings: {error}")

    # --- jobs that are here --------------------------------------------------------------------

    def _steer(self, request: Request) -> Answer:
        if trouble := self._table.save_patiently():
            return Answer(refused=(f"the states of jobs cannot be written: {trouble}",))
        rows = {row.name: _left_behind(row) for row in self._store.jobs()}
        rows |= {row.name: row for row in self._table.rows()}
        verdict = decide(request, list(rows.values()))
        if verdict.wrong:
            return Answer(
                refused=(verdict.wrong, *self._forgotten(request.names, rows)), is_wrong=True
            )
        refused = [f"{each.row.name} {each.said}" for each in verdict.decisions if each.is_refused]
        done: list[str] = []
        queued: dict[str, Decision] = {}
        in_store: list[JobRow] = []
        for each in verdict.decisions:
            name, job = each.row.name, self._table.get(each.row.name)
            if each.is_refused:
                continue
            if self._is_queued_anew(each, job, request):
                queued[name] = each
                continue
            if each.is_forgotten:
                self._store.forget([name])
                self._table.remove(name)
            elif job:
                self._change(job, each)
            else:  # of another sheet than this farm's
                in_store.append(each.row)
            done.append(f"{name} {each.said}")
        if in_store:
            with self._store.transaction():
                self._store.save(in_store)
        if queued:
            lines, reasons = self._queue(queued, starts_over=request.fresh)
            done, refused = done + lines, refused + reasons
        if request.now and done:
            done += self._make_room(request.names)
        return Answer(done=tuple(done), refused=tuple(refused))

    def _forgotten(self, names: Iterable[str], known: Collection[str]) -> list[str]:
        """What to do about jobs that are only known by their folders."""
        return [
            f"{name} has been forgotten, its files are there: submit its sheet to take it up again"
            for name in names
            if name not in known and self._workspace.job(name).job_file.exists()
        ]

    @staticmethod
    def _is_queued_anew(decision: Decision, job: ActiveJob | None, request: Request) -> bool:
        """Whether a job is to be queued as if its sheet were submitted again."""
        if decision.row.state is not State.QUEUED or request.order is Order.FORGET:
            return False
        if job is None:
            return request.order in (Order.REQUEUE, Order.RESUME)
        return (
            request.order is Order.REQUEUE
            and not job.trying
            and (request.fresh or job.state is not State.QUEUED)
        )

    def _change(self, job: ActiveJob, decision: Decision) -> None:
        row = decision.row
        if row.priority != job.priority:
            self._table.prioritise(job, row.priority)
        if row.state is not job.state:
            was = job.state
            self._table.move(job, row.state, row.error)
            if self._farm and was is State.RENDERING:
                self._farm.stop_rendering(job.name)
            if job.trying and row.state in (State.PAUSED, State.CANCELLED):
                job.trying.drain()
        self._table.tell(Happening.STEERED, job, decision.said)

    def _queue(
        self, decisions: dict[str, Decision], *, starts_over: bool
    ) -> tuple[list[str], list[str]]:
        """Queue jobs anew: lines of those that are, and of those that cannot be."""
        files, refused = [], []
        for name in decisions:
            job = self._table.get(name)
            try:
                file = job.file if job else self._file_of(name)
            except MultitrainError as error:
                refused.append(f"{name}: {error}")
                continue
            if file:
                files.append(file)
            else:
                refused.append(f"{name}: its settings are not known any more; submit its sheet")
        names = [file.spec.name for file in files]
        with self._store.transaction():  # neither paused nor cancelled any more
            self._store.save([decisions[name].row for name in names])
        entries = self._take(files, names if starts_over else ())
        return [line for entry in entries for line in told(entry)], refused

    def _file_of(self, name: str) -> JobFile | None:
        return job_of_before(self._workspace.job(name), self._store.submitted(name))

    def _make_room(self, names: Collection[str]) -> list[str]:
        """Have the least important running jobs stop, so that the named ones have their slots."""
        if self._farm is None:
            return []
        waiting = self._table.awaiting()
        jobs = [job for name in names if (job := self._table.get(name))]
        wanted = [job for job in jobs if job.state is State.QUEUED and job.name not in waiting]
        missing = sum(job.file.spec.gpus for job in wanted) - self._farm.free_slots()
        missing -= sum(
            len(trying.lease.slots) for _, trying in self._table.at_work() if trying.is_draining
        )
        lines = []
        for job in reversed(self._table.in_state(State.RUNNING)):
            if missing <= 0:
                break
            if job.trying and not job.trying.is_draining and job.name not in names:
                job.trying.drain()
                missing -= len(job.trying.lease.slots)
                said = "makes room: it stops at a checkpoint and is queued again"
                self._table.tell(Happening.STEERED, job, said)
                lines.append(f"{job.name} {said}")
        return lines

    # --- jobs of a sheet -----------------------------------------------------------------------

    def _submit(self, jobs: Sequence[JobFile]) -> Answer:
        if self._farm:
            self._farm.admit(jobs)
        if trouble := self._table.save_patiently():
            return Answer(refused=(f"the states of jobs cannot be written: {trouble}",))
        in_hand = {job.spec.name: job for job in jobs if self._is_in_hand(job.spec.name)}
        others = [job for job in jobs if job.spec.name not in in_hand]
        changed, refused = self._changes(in_hand.values())
        if refused:
            try:
                plan_submission(self._workspace, self._store.jobs(), others, ())
            except UsageError as error:
                refused.append(str(error))
            raise UsageError("\n".join(refused))
        entries = self._take(others, for_every_farm=True)
        lines = {entry.job.spec.name: told(entry) for entry in entries}
        lines |= {job.name: [self._go_on_with(job, file, how)] for job, file, how in changed}
        return Answer(done=tuple(line for job in jobs for line in lines[job.spec.name]))

    def _is_in_hand(self, name: str) -> bool:
        """Whether a trainer or the render worker may be at work on a job's files."""
        job = self._table.get(name)
        if job is None or job.state is State.DONE:
            return False
        is_rendered = self._farm is not None and self._farm.renders(name)
        return bool(job.is_held or is_rendered or job.state is State.RENDERING)

    def _changes(
        self, wanted: Iterable[JobFile]
    ) -> tuple[list[tuple[ActiveJob, JobFile, Changed]], list[str]]:
        """How jobs in hand go on with the rows `wanted`, and why some cannot."""
        changes, refused = [], []
        for file in wanted:
            job = self._table.get(file.spec.name)
            assert job, "it is in hand"
            how = change(Begun(job.file, job.frames_done, job.checkpoint is not None), file)
            if how.refusal:
                refused.append(
                    f"{job.name} has begun with other settings: {how.refusal}. Give the row "
                    f"another name, or drain the farm and run it with {start_over(job.name)}"
                )
            elif job.state is State.RENDERING and not how.is_at_once:
                refused.append(f"{job.name}: its film is being finished; submit it when it is done")
            else:
                changes.append((job, file, how))
        return changes, refused

    def _go_on_with(self, job: ActiveJob, file: JobFile, how: Changed) -> str:
        """Have a job in hand go on with the settings of its row; returns a line for people."""
        self._store.submit([submitted(file, for_every_farm=True)])
        if row := self._store.job(job.name):
            self._table.prioritise(job, row.priority)
        if how.job == job.file and job.wanted is None:
            return f"{job.name} is {job.state} already"
        if how.is_at_once and job.wanted is None:
            self._table.replace_file(job, how.job)
            how.job.save(job.paths)
            return f"{job.name} goes on with the new settings"
        # Which of its frames stay as they are is known when nobody makes any more.
        self._table.begin_change(job, file)
        if not job.trying:
            return f"{job.name} goes on with the new settings"
        job.trying.drain()
        return f"{job.name} stops at a checkpoint and goes on with the new settings"

    def _take(
        self, jobs: Sequence[JobFile], fresh: Collection[str] = (), *, for_every_farm: bool = False
    ) -> list[Entry]:
        """Submit jobs that nobody works on, and take them up."""
        entries = submit(self._workspace, self._store, jobs, fresh, for_every_farm=for_every_farm)
        rows = {row.name: row for row in self._store.jobs()}
        adopted = [self._adopt(entry.job, rows[entry.job.spec.name]) for entry in entries]
        self._table.add(adopted, rows)
        for entry in entries[:MOST_TOLD]:
            name = entry.job.spec.name
            self._table.tell_of(Happening.STEERED, name, f"is {rows[name].state}")
        if (more := len(entries) - MOST_TOLD) > 0:
            self._table.tell_of(Happening.STEERED, "", f"{more} more jobs are taken up")
        return entries


def _left_behind(row: JobRow) -> JobRow:
    """A job that no farm works on, whatever the last one wrote before it was killed."""
    return replace(row, slot="", state=State.QUEUED if row.state is State.RUNNING else row.state)

"""The jobs of a farm: the state of each, and what is reported and stored of it."""

from __future__ import annotations

import bisect
from collections import deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from jobs.sheets.enlarging import enlarging_jobs
from jobs.sheets.origins import jobs_before
from jobs.workspace.jobfile import JobFile
from jobs.workspace.states import State
from jobs.workspace.store import JobRow
from multitrain.farm.active_job import ActiveJob, Try
from multitrain.farm.events import Event, Happening, Troubles
from multitrain.farm.stalls_and_retries import Tries
from multitrain.farm.state_writer import StateWriter


class Awaited(NamedTuple):
    """A job that another one waits for."""

    name: str
    state: State | None = None  # None: it is not among the farm's jobs
    starts_from: bool = False  # not only after it, but from its networks

    def __str__(self) -> str:
        """`night, which is cancelled`."""
        standing = (
            f"is {self.state}" if self.state else "is not done, and not in the hands of a farm"
        )
        return f"{self.name}, which {standing}"


class JobTable:
    """Every change of a job's state goes through here."""

    def __init__(self, jobs: Iterable[ActiveJob], writer: StateWriter) -> None:
        self._jobs: dict[str, ActiveJob] = {}
        self._places: dict[str, int] = {}
        self._next_place = 0
        self._awaited: dict[str, Awaited] | None = None  # None: it has to be found out anew
        self._by_state: dict[State, list[ActiveJob]] = {state: [] for state in State}
        # Few of thousands of jobs wait for others: only these are looked at in every tick.
        self._awaiting: dict[str, ActiveJob] = {}
        self.working: dict[str, ActiveJob] = {}  # those that have a trainer
        self.changing: dict[str, ActiveJob] = {}  # those that are to go on with other settings
        self.owners: set[str | None] = set()  # that jobs have ever had
        self._writer = writer
        self._troubles = Troubles()
        self._events: list[Event] = []
        self._ended: list[ActiveJob] = []
        self.most_gpus = 0  # that a job has ever asked for
        self.asks_for_memory = False  # whether any job has
        self.add(jobs)

    def add(self, jobs: Iterable[ActiveJob], stored: Mapping[str, JobRow] = {}) -> None:
        """Take up jobs, behind those that are here; each in the place of one of its name.

        `stored` are rows as the store has them, by name: those of these jobs that are known.
        """
        jobs = list(jobs)
        for job in jobs:
            place = self._places.get(job.name, self._next_place)
            self.remove(job.name)
            self._places[job.name] = place
            self._next_place = max(self._next_place, place + 1)
        for job in jobs:  # all at once: there may be thousands
            self._jobs[job.name] = job
            self._by_state[job.state].append(job)
            self._look_at(job)
            # What was to be written of it before is out of date.
            self._writer.note(job.row, stored.get(job.name))
        for state in {job.state for job in jobs}:
            self._by_state[state].sort(key=self._place)

    def begin_change(self, job: ActiveJob, file: JobFile) -> None:
        """Hold a job until it goes on with `file`, as its sheet has it now."""
        job.wanted = file
        self.changing[job.name] = job

    def settle_change(self, job: ActiveJob) -> None:
        """The job is held no more."""
        job.wanted = None
        del self.changing[job.name]

    def replace_file(self, job: ActiveJob, file: JobFile) -> None:
        """Have a job go on with other settings."""
        job.file = file
        job.tries = Tries(file.spec.retries)
        self._look_at(job)
        self._writer.note(job.row)

    def _look_at(self, job: ActiveJob) -> None:
        self._awaited = None
        self.most_gpus = max(self.most_gpus, job.file.spec.gpus)
        self.owners.add(job.file.spec.owner)
        self.asks_for_memory |= job.file.spec.memory_gb is not None
        spec = job.file.spec
        if jobs_before(spec) or spec.after or enlarging_jobs(spec):
            self._awaiting[job.name] = job
        else:
            self._awaiting.pop(job.name, None)

    def remove(self, name: str) -> None:
        """Forget a job without a trainer, if it is here."""
        if job := self._jobs.pop(name, None):
            assert not job.trying, "its trainer would be forgotten, too"
            self._take_out(job)
            self._awaiting.pop(name, None)
            self.changing.pop(name, None)
            del self._places[name]

    def get(self, name: str) -> ActiveJob | None:
        return self._jobs.get(name)

    def in_state(self, *states: State) -> list[ActiveJob]:
        """The jobs in these states, in the order of the queue: by priority, then as submitted."""
        found = [job for state in states for job in self._by_state[state]]
        return sorted(found, key=self._place) if len(states) > 1 else found

    def count(self, *states: State) -> int:
        return sum(len(self._by_state[state]) for state in states)

    def awaiting(self) -> Mapping[str, Awaited]:
        """Which job each one in the queue has to wait for, by name, in the order of the queue."""
        if self._awaited is None:
            queued = [job for job in self._awaiting.values() if job.state is State.QUEUED]
            found = ((job.name, self.awaited_by(job)) for job in sorted(queued, key=self._place))
            self._awaited = {name: other for name, other in found if other}
        return self._awaited

    def in_line_behind(self, *states: State | None) -> list[tuple[ActiveJob, Awaited]]:
        """Queued jobs that wait for one in these states, or for one that waits so, and so on."""
        behind: dict[str, list[str]] = {}
        for name, other in self.awaiting().items():
            behind.setdefault(other.name, []).append(name)
        first = [name for name, other in self.awaiting().items() if other.state in states]
        line = dict.fromkeys(first)
        todo = deque(first)
        while todo:
            new = [name for name in behind.get(todo.popleft(), ()) if name not in line]
            line |= dict.fromkeys(new)
            todo += new
        return [(self._jobs[name], self.awaiting()[name]) for name in line]

    def awaited_by(self, job: ActiveJob) -> Awaited | None:
        """The first job that `job` waits for and that is not done; None: it may start."""
        if job.name not in self._awaiting:
            return None
        for name in jobs_before(job.file.spec):
            if (here := self.get(name)) and here.state is not State.DONE:
                return Awaited(name, here.state, starts_from=True)
        for name in job.file.spec.after or ():
            if (here := self.get(name)) and here.state is not State.DONE:
                return Awaited(name, here.state)
            if not here and not job.paths.workspace.job(name).is_done:
                return Awaited(name)
        for name in enlarging_jobs(job.file.spec):  # whatever it has learnt when it ends, will do
            if (here := self.get(name)) and not here.state.ended:
                return Awaited(name, here.state)
        return None

    def at_work(self) -> list[tuple[ActiveJob, Try]]:
        """The jobs that have a trainer, with it."""
        return [(job, job.trying) for job in self.working.values() if job.trying]

    @property
    def all_ended(self) -> bool:
        return self.count(*(state for state in State if state.ended)) == len(self._jobs)

    @property
    def is_over(self) -> bool:
        """Whether nothing can be done any more: what has not ended waits in vain."""
        left = len(self._jobs) - self.count(*(state for state in State if state.ended))
        return not left or left == len(self.in_line_behind(State.CANCELLED, None))

    def _place(self, job: ActiveJob) -> tuple[int, int]:
        """The job's position in the queue."""
        return -job.priority, self._places[job.name]

    def _take_out(self, job: ActiveJob) -> None:
        self._awaited = None
        jobs = self._by_state[job.state]
        del jobs[bisect.bisect_left(jobs, self._place(job), key=self._place)]

    def rows(self) -> list[JobRow]:
        """The rows of all jobs, as `multitrain status` would show them."""
        return [job.row for job in self._jobs.values()]

    def files(self) -> list[JobFile]:
        """All jobs, in the same order."""
        return [job.file for job in self._jobs.values()]

    # --- changes -----------------------------------------------------------------------------

    def move(self, job: ActiveJob, state: State, error: str = "") -> None:
        """Change the job's state; `error` is shown with it, and empty where nothing is wrong."""
        assert job.state.may_become(state), f"{job.name} from {job.state} to {state}"
        if state is not job.state:
            self._take_out(job)
            bisect.insort(self._by_state[state], job, key=self._place)
            self._ended += [job] if state.ended else []
        job.state, job.error = state, error
        self._writer.note(job.row)

    def prioritise(self, job: ActiveJob, priority: int) -> None:
        self._take_out(job)
        job.priority = priority
        bisect.insort(self._by_state[job.state], job, key=self._place)
        self._writer.note(job.row)

    def begin(self, job: ActiveJob, trying: Try) -> None:
        """The job has a trainer."""
        job.trying = trying
        self.working[job.name] = job
        self.move(job, State.RUNNING, job.error)

    def end_try(self, job: ActiveJob) -> None:
        """The job's trainer has ended; its state is as before."""
        job.trying = None
        del self.working[job.name]
        self._writer.note(job.row)

    def put_back(self, job: ActiveJob, error: str = "") -> None:
        """Take back a try that has ended by no fault of its own; the job is queued again.

        Unless it was paused or cancelled meanwhile.
        """
        job.attempts -= 1
        self.move(job, State.QUEUED if job.state is State.RUNNING else job.state, error)

    def fail(self, job: ActiveJob, reason: str) -> None:
        self.move(job, State.FAILED, reason)
        self.tell(Happening.FAILED, job, f"failed: {reason}")

    def made(self, job: ActiveJob, frames: int) -> bool:
        """Note that the job has `frames` frames; returns whether it never had so many before."""
        is_new = frames > job.most_frames
        job.frames_done, job.most_frames = frames, max(frames, job.most_frames)
        self._writer.note(job.row)
        return is_new

    # --- telling and writing -----------------------------------------------------------------

    def tell(self, happening: Happening, job: ActiveJob, text: str) -> None:
        self.tell_of(happening, job.name, text)

    def tell_of(self, happening: Happening, who: str, text: str) -> None:
        """Report what happened to a job, or to whatever else has a name."""
        self._events.append(Event(happening, who, text))

    def tell_trouble(self, what: str, trouble: str, relief: str) -> None:
        """Report that `what` has this `trouble` now, or, where that is empty, its `relief`."""
        self._events += self._troubles.tell(what, trouble, relief)

    def take_events(self) -> list[Event]:
        """The events since the last call."""
        events, self._events = self._events, []
        return events

    def take_ended(self) -> list[ActiveJob]:
        """The jobs that have ended since the last call."""
        ended, self._ended = self._ended, []
        return ended

    def save(self, now: float) -> bool:
        """Bring the store up to date, or report why that cannot be; returns whether it could."""
        trouble = self._writer.save(now)
        message = f"they cannot be written ({trouble}); the jobs go on" if trouble else ""
        self.tell_trouble("states of jobs", message, "they are written again")
        return not trouble

    def save_patiently(self) -> str:
        """Bring the store up to date before the farm ends; why that failed, or an empty text."""
        return self._writer.save_patiently()

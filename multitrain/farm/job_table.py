"""The jobs of a farm: the state of each, and what is reported and stored of it."""

from __future__ import annotations

import bisect
from collections.abc import Iterable

from jobs.workspace.states import State
from jobs.workspace.store import JobRow
from multitrain.farm.active_job import ActiveJob, Try
from multitrain.farm.events import Event, Happening, Troubles
from multitrain.farm.state_writer import StateWriter


class JobTable:
    """Every change of a job's state goes through here."""

    def __init__(self, jobs: Iterable[ActiveJob], writer: StateWriter) -> None:
        self._jobs = {job.name: job for job in jobs}
        self._places = {name: place for place, name in enumerate(self._jobs)}
        self._by_state: dict[State, list[ActiveJob]] = {state: [] for state in State}
        for job in self._jobs.values():
            self._by_state[job.state].append(job)
        # Few of thousands of jobs start from others: only these are looked at in every tick.
        self._starting_from_others = [job for job in self._jobs.values() if job.origins]
        self.most_gpus = max((job.file.spec.gpus for job in self._jobs.values()), default=0)
        self._writer = writer
        self._troubles = Troubles()
        self._events: list[Event] = []
        self._ended: list[ActiveJob] = []

    def get(self, name: str) -> ActiveJob | None:
        return self._jobs.get(name)

    def in_state(self, *states: State) -> list[ActiveJob]:
        """The jobs in these states, in the order of the sheet."""
        found = [job for state in states for job in self._by_state[state]]
        return sorted(found, key=self._place) if len(states) > 1 else found

    def count(self, *states: State) -> int:
        return sum(len(self._by_state[state]) for state in states)

    def queued_with_origins(self) -> list[ActiveJob]:
        """The jobs in the queue that start from others, in the order of the sheet."""
        return [job for job in self._starting_from_others if job.state is State.QUEUED]

    def awaited_by(self, job: ActiveJob) -> ActiveJob | None:
        """The first job here that `job` starts from and that is not done; None: it may start."""
        origins = filter(None, map(self.get, job.origins))
        return next((origin for origin in origins if origin.state is not State.DONE), None)

    def at_work(self) -> list[tuple[ActiveJob, Try]]:
        """The jobs that have a trainer, with it."""
        return [(job, job.trying) for job in self._by_state[State.RUNNING] if job.trying]

    @property
    def all_ended(self) -> bool:
        return self.count(*(state for state in State if state.ended)) == len(self._jobs)

    @property
    def all_done(self) -> bool:
        return self.count(State.DONE) == len(self._jobs)

    def _place(self, job: ActiveJob) -> int:
        """The job's position in the sheet."""
        return self._places[job.name]

    def rows(self) -> list[JobRow]:
        """The rows of all jobs, as `multitrain status` would show them."""
        return [job.row for job in self._jobs.values()]

    # --- changes -----------------------------------------------------------------------------

    def move(self, job: ActiveJob, state: State, error: str = "") -> None:
        """Change the job's state; `error` is shown with it, and empty where nothing is wrong."""
        assert job.state.may_become(state), f"{job.name} from {job.state} to {state}"
        if state is not job.state:
            before, after = self._by_state[job.state], self._by_state[state]
            del before[bisect.bisect_left(before, self._place(job), key=self._place)]
            bisect.insort(after, job, key=self._place)
            self._ended += [job] if state.ended else []
        job.state, job.error = state, error
        self._writer.note(job.row)

    def put_back(self, job: ActiveJob, error: str = "") -> None:
        """Queue a job whose try has ended by no fault of its own."""
        job.attempts -= 1
        self.move(job, State.QUEUED, error)

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
        self._events.append(Event(happening, job.name, text))

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

    def save(self, now: float) -> None:
        """Bring the store up to date, or report why that is impossible now."""
        trouble = self._writer.save(now)
        message = f"they cannot be written ({trouble}); the jobs go on" if trouble else ""
        self.tell_trouble("states of jobs", message, "they are written again")

    def save_patiently(self) -> str:
        """Bring the store up to date before the farm ends; why that failed, or an empty text."""
        return self._writer.save_patiently()

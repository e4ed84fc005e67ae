"""The jobs of a farm: where each stands, and what is told and written of that."""

from __future__ import annotations

import bisect
from collections.abc import Iterable

from jobs.states import State
from jobs.store import JobRow
from multitrain.events import Event, Happening, Troubles
from multitrain.in_hand import JobInHand, Try
from multitrain.ledger import Ledger


class Roster:
    """Every change of a job's state goes through here."""

    def __init__(self, jobs: Iterable[JobInHand], ledger: Ledger) -> None:
        self._jobs = {job.name: job for job in jobs}
        self._places = {name: place for place, name in enumerate(self._jobs)}
        self._by_state: dict[State, list[JobInHand]] = {state: [] for state in State}
        for job in self._jobs.values():
            self._by_state[job.state].append(job)
        self._ledger = ledger
        self._troubles = Troubles()
        self._events: list[Event] = []
        self._ended: list[JobInHand] = []

    def get(self, name: str) -> JobInHand | None:
        return self._jobs.get(name)

    def in_state(self, *states: State) -> list[JobInHand]:
        """In the order of the sheet."""
        found = [job for state in states for job in self._by_state[state]]
        return sorted(found, key=self._place) if len(states) > 1 else found

    def count(self, *states: State) -> int:
        return sum(len(self._by_state[state]) for state in states)

    def awaited_by(self, job: JobInHand) -> JobInHand | None:
        """The first of the jobs here that `job` starts from and that is not done; None: it may."""
        origins = filter(None, map(self.get, job.origins))
        return next((origin for origin in origins if origin.state is not State.DONE), None)

    def at_work(self) -> list[tuple[JobInHand, Try]]:
        """The jobs that have a trainer, with it."""
        return [(job, job.trying) for job in self._by_state[State.RUNNING] if job.trying]

    @property
    def all_ended(self) -> bool:
        return self.count(*(state for state in State if state.ended)) == len(self._jobs)

    @property
    def all_done(self) -> bool:
        return self.count(State.DONE) == len(self._jobs)

    def _place(self, job: JobInHand) -> int:
        """In the sheet."""
        return self._places[job.name]

    def rows(self) -> list[JobRow]:
        """As `multitrain status` would show them."""
        return [job.row for job in self._jobs.values()]

    # --- changes -----------------------------------------------------------------------------

    def move(self, job: JobInHand, state: State, error: str = "") -> None:
        """`error` is what is held against the job from now on."""
        assert job.state.may_become(state), f"{job.name} from {job.state} to {state}"
        if state is not job.state:
            before, after = self._by_state[job.state], self._by_state[state]
            del before[bisect.bisect_left(before, self._place(job), key=self._place)]
            bisect.insort(after, job, key=self._place)
            self._ended += [job] if state.ended else []
        job.state, job.error = state, error
        self._ledger.note(job.row)

    def put_back(self, job: JobInHand, error: str = "") -> None:
        """Queue a job whose try has ended by no fault of its own."""
        job.attempts -= 1
        self.move(job, State.QUEUED, error)

    def fail(self, job: JobInHand, reason: str) -> None:
        self.move(job, State.FAILED, reason)
        self.tell(Happening.FAILED, job, f"failed: {reason}")

    def made(self, job: JobInHand, frames: int) -> bool:
        """So many frames in all; whether the job never had as many before."""
        is_new = frames > job.most_frames
        job.frames_done, job.most_frames = frames, max(frames, job.most_frames)
        self._ledger.note(job.row)
        return is_new

    # --- telling and writing -----------------------------------------------------------------

    def tell(self, happening: Happening, job: JobInHand, text: str) -> None:
        self._events.append(Event(happening, job.name, text))

    def tell_trouble(self, what: str, trouble: str, relief: str) -> None:
        """`what`, of the whole farm, has this `trouble` now; none where that is empty."""
        self._events += self._troubles.tell(what, trouble, relief)

    def take_events(self) -> list[Event]:
        """What was told since the last call."""
        events, self._events = self._events, []
        return events

    def take_ended(self) -> list[JobInHand]:
        """The jobs that have ended since the last call."""
        ended, self._ended = self._ended, []
        return ended

    def save(self, now: float) -> None:
        """Bring the store up to date, or say why that is impossible now."""
        trouble = self._ledger.save(now)
        told = f"they cannot be written ({trouble}); the jobs go on" if trouble else ""
        self.tell_trouble("states of jobs", told, "they are written again")

    def save_patiently(self) -> str:
        """Before the farm ends: why what `multitrain status` shows stays old, if it does."""
        return self._ledger.save_patiently()

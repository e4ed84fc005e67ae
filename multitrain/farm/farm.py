"""The farm: places jobs on slots, watches their processes, retries, drains.

`tick(now)` does all that is due and returns what happened. Time, slots and processes are arguments,
so that scheduling is tested in milliseconds. Restarting a farm after anything is the normal case:
states are on disk, and what the processes did is read from their folders.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from jobs.errors import ExitCode, UsageError
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from jobs.workspace.states import State
from jobs.workspace.store import JobRow, Store
from multitrain.datasets.cached import cache_folder
from multitrain.farm.active_job import ActiveJob, adopted
from multitrain.farm.ahead.preparation import Preparation, Prospect
from multitrain.farm.disk_watch import DiskWatch
from multitrain.farm.events import Event, Happening, JobView
from multitrain.farm.filming import Filming
from multitrain.farm.hours import Hours
from multitrain.farm.job_table import JobTable
from multitrain.farm.launching import TrainerExecutor, TrainerSettings
from multitrain.farm.notices import Notice, Notices
from multitrain.farm.outcomes import Outcomes
from multitrain.farm.placement import Placement
from multitrain.farm.publishing import Publishing
from multitrain.farm.render_keeper import RenderKeeper
from multitrain.farm.shortfalls import Shortfalls
from multitrain.farm.speed_records import SpeedRecorder
from multitrain.farm.stalls_and_retries import ASLEEP_SECONDS
from multitrain.farm.state_writer import StateWriter
from multitrain.farm.steering import Steering
from multitrain.farm.time_left import NightLeft, TimeLeft
from multitrain.farm.waiting_reasons import waiting_reasons
from multitrain.farm.watching import Watching
from multitrain.forecasts.speeds import read_speeds
from multitrain.slots.slots import Pool

GIB = 2**30
THE_HOURS = "the hours"  # what jobs wait for at other times


@dataclass(frozen=True)
class Habits:
    """What a farm does besides its jobs."""

    stays: bool = False  # it waits for more when all is done, until it is drained
    hours: Hours | None = None  # in which it trains; at other times it waits
    on_night_done: str = ""  # a command or an address, for when all is done


class Farm:
    """The jobs of one submission, from the queue to their films."""

    def __init__(
        self,
        workspace: Workspace,
        store: Store,
        jobs: Sequence[JobFile],
        pool: Pool,
        disk: DiskWatch,
        executor: TrainerExecutor,
        keeper: RenderKeeper,
        settings: TrainerSettings,
        preparations: Sequence[Preparation] = (),
        admit: Callable[[Sequence[JobFile]], None] = lambda _: None,
        habits: Habits = Habits(),
        clock: Callable[[], datetime] = datetime.now,
        since_ns: int | None = None,
    ) -> None:
        """`admit` raises UsageError where jobs that are submitted later cannot be taken.

        `clock` tells the time of the day; `since_ns` is when the workspace was taken, in unix
        nanoseconds (None: now).
        """
        self._habits, self._clock = habits, clock
        self.admit = admit
        self._workspace, self._pool, self._disk = workspace, pool, disk
        self._keeper, self._settings, self._preparations = keeper, settings, preparations
        rows = {row.name: row for row in store.jobs()}
        in_hand = [self._adopt(job, rows[job.spec.name]) for job in jobs]
        self._table = JobTable(in_hand, StateWriter(store))
        self._outcomes = Outcomes(self._table, pool, disk)
        self._recorder = SpeedRecorder(workspace, read_speeds(workspace.speeds))
        self._placement = Placement(
            self._table, pool, disk, executor, keeper, settings, self._outcomes, self._recorder
        )
        shortfalls = Shortfalls(self._table)
        self._filming = Filming(workspace, self._table, keeper, shortfalls)
        self._watching = Watching(workspace, self._table, pool, disk, keeper, settings, shortfalls)
        self._notices = Notices()
        self._time_left = TimeLeft(self._table, pool, self._recorder)
        self._publishing = Publishing(workspace, self._table, pool, settings)
        self._steering = Steering(workspace, store, self._table, self._adopt, self, since_ns)
        self._draining = False
        self._ticked_at = float("inf")
        self._busy_since: float | None = None  # since when this night goes on

    def _adopt(self, file: JobFile, row: JobRow) -> ActiveJob:
        return adopted(self._workspace, file, row)

    # --- what others ask ---------------------------------------------------------------------

    @property
    def finished(self) -> bool:
        """Nothing is left to do, or the farm has drained; and no process is left."""
        is_over = self._is_over and not (self._habits.stays or self._filming.sends_late)
        ending = self._draining or is_over
        left = self._table.at_work() or not (self._keeper.idle and self._notices.idle)
        prepared = all(each.is_idle(self._ticked_at) for each in self._preparations)
        return ending and not left and prepared

    @property
    def is_busy(self) -> bool:
        """Whether there is more to do at once: the next tick should not wait."""
        return self._steering.is_busy

    @property
    def exit_code(self) -> ExitCode:
        if not self._table.all_ended:
            return ExitCode.DRAINED
        return ExitCode.FAILED if self._table.count(State.FAILED) else ExitCode.DONE

    def rows(self) -> list[JobRow]:
        """Where every job stands, in the order in which they were taken up."""
        return self._table.rows()

    def files(self) -> list[JobFile]:
        """Every job, in the same order."""
        return self._table.files()

    def count(self, state: State) -> int:
        return self._table.count(state)

    def views(self) -> list[JobView]:
        """The jobs that are training or rendering."""
        left = self._time_left.night.jobs
        jobs = [job for job, _ in self._table.at_work() if job.state is not State.RUNNING]
        jobs += self._table.in_state(State.RUNNING, State.RENDERING)
        return [replace(job.view, left=left.get(job.name)) for job in jobs]

    def time_left(self) -> NightLeft:
        """The time until the last film is done."""
        return self._time_left.night

    def waiting_for(self) -> dict[str, str]:
        """Why queued jobs do not get slots that we do not use, and why films are not finished.

        Keyed by what is missing, or by job.
        """
        reasons: dict[str, str] = {}
        if self._habits.hours and self._rests:
            reasons[THE_HOURS] = self._habits.hours.advice
        with suppress(OSError):  # `tick` reports a workspace that cannot be reached
            reasons |= self._filming.short_of_room(self._settings.keep_free_bytes)
        return reasons | waiting_reasons(self._table, self._pool, self._disk, self._placement)

    # --- what others order -------------------------------------------------------------------

    def tick(self, now: float) -> list[Event]:
        """Do what is due at `now`; returns what happened since the last tick.

        `now` is in seconds of a clock that only goes forward, here and in all that is called.
        """
        gap, self._ticked_at = max(0.0, now - self._ticked_at), now
        if gap > ASLEEP_SECONDS:
            self._watching.excuse_all(gap)
        unreachable = ""
        try:
            self._look_at_disk(now)
            self._watching.look(now)
            self._reap(now)
            self._steering.look(now)
            self._filming.settle(now)
            self._watching.end_the_stuck(now)
            if self._draining or self._is_over:
                self._filming.end(now, draining=self._draining)
                self._end_preparations(now)
            elif self._rests:
                self._stop_training()
                self._filming.go_on(now)
                self._end_preparations(now)
            else:
                self._placement.place(now)
                self._filming.go_on(now)
                self._prepare(now)
        except OSError as error:  # a network disk that is away, say; the next tick does the rest
            unreachable = f"it cannot be reached ({(error.strerror or str(error)).casefold()})"
            self._watching.excuse_all(gap)
        self._table.tell_trouble("the workspace", unreachable, "it can be reached again")
        self._tell_of_the_hours()
        self._notify(now)
        self._time_left.look(now)
        night, waiting = self._time_left.night, self.waiting_for
        self._publishing.look(night, waiting, now, is_draining=self._draining)
        self._steering.answer(is_stored=self._table.save(now))
        return self._table.take_events()

    def drain(self) -> None:
        """Stop gently: trainers write a checkpoint, encoders finish what is in hand."""
        self._draining = True
        self._end_preparations(self._ticked_at)
        self._stop_training()

    # --- what steering orders ----------------------------------------------------------------

    def free_slots(self) -> int:
        """How many slots a job could have now."""
        return len(self._pool.free(self._ticked_at))

    def renders(self, job: str) -> bool:
        """Whether the render worker may be at work on this job."""
        return self._keeper.has_in_hand(job)

    def stop_rendering(self, job: str) -> None:
        """Have nothing more made of this job's frames."""
        self._keeper.let_go(job)

    def rest_rendering(self) -> bool:
        """End the render worker, until `go_on_rendering`; whether it has ended."""
        return self._keeper.dismiss()

    def go_on_rendering(self) -> None:
        """The render worker may be started again."""
        self._keeper.recall()

    def kill(self) -> None:
        """End every process at once; the next run goes on from the last checkpoints."""
        self._draining = True
        for _, trying in self._table.at_work():
            trying.ends_at = min(trying.ends_at, self._ticked_at)
            trying.process.kill()
        self._keeper.kill()
        self._notices.kill()
        self._end_preparations(self._ticked_at)

    def close(self) -> str:
        """Write what is not written yet; returns why that was impossible, or an empty text."""
        self._recorder.close()
        return self._table.save_patiently()

    @property
    def _is_over(self) -> bool:
        """Whether all that can be done is done, and no further sheet is being read."""
        return self._table.is_over and not self._steering.is_busy

    @property
    def _rests(self) -> bool:
        hours = self._habits.hours
        return hours is not None and not hours.include(self._clock().time())

    def _stop_training(self) -> None:
        for _, trying in self._table.at_work():
            trying.drain()

    # --- parts of a tick ---------------------------------------------------------------------

    def _look_at_disk(self, now: float) -> None:
        self._disk.look(now)
        if self._disk.shortage:
            cache_folder.make_room(self._workspace, most=0)  # decoded pictures can be decoded again
        self._table.tell_trouble("the disk", self._disk.trouble, "there is room again")

    def _tell_of_the_hours(self) -> None:
        """Say at once that nothing is trained now: nobody should wait for it to begin."""
        hours = self._habits.hours
        if hours and not (self._draining or self._is_over):
            why = hours.advice if self._rests else ""
            self._table.tell_trouble(THE_HOURS, why, "the farm trains again")

    def _reap(self, now: float) -> None:
        """Settle the jobs whose trainer's whole process tree is gone."""
        for job, trying in self._table.at_work():
            code = trying.process.poll()
            if code is None:
                continue
            self._watching.read_progress(job, trying, now)  # what it wrote last
            self._outcomes.ended(job, trying, code, now, draining=self._draining)
            self._pool.release(trying.lease, now)
            self._recorder.ended(job, trying, now)
            self._table.tell_trouble(job.name, "", "its trainer has ended")

    def _notify(self, now: float) -> None:
        """Run what the sheet asks for when a job ends, before the store knows that it has ended."""
        for job in self._table.take_ended():
            self._recorder.settled(job, now)
            if notice := Notice.of(job.paths, job.file, job.state, job.error):
                self._notices.begin(notice)
        self._tell_that_the_night_is_over(now)
        for trouble in self._notices.take_troubles():
            self._table.tell_of(Happening.TROUBLE, trouble.subject, trouble.text)

    def _tell_that_the_night_is_over(self, now: float) -> None:
        """Once for each night: a farm that stays may live through many."""
        if not self._is_over:
            self._busy_since = now if self._busy_since is None else self._busy_since
        elif self._busy_since is not None:
            seconds, self._busy_since = now - self._busy_since, None
            if order := self._habits.on_night_done:
                counts = {state: self._table.count(state) for state in State}
                self._notices.begin(Notice.of_night(self._workspace, order, counts, seconds))

    def _prepare(self, now: float) -> None:
        """Get ready for the jobs that come next."""
        at_work = self._table.at_work()
        is_calm = not any(trying.is_starting(now) for _, trying in at_work)
        running, queued = [job for job, _ in at_work], self._table.in_state(State.QUEUED)
        if waiting := self._table.awaiting():
            queued.sort(key=lambda job: job.name in waiting)  # they come later
        for each in self._preparations:
            each.prepare(Prospect(running, queued, is_calm), now)

    def _end_preparations(self, now: float) -> None:
        for each in self._preparations:
            each.end(now)


def check_slots(jobs: Sequence[JobFile], pool: Pool) -> None:
    """UsageError where a job asks for more slots, or more memory of one, than there are."""
    most = max((pool.reading(slot).memory_total or 0 for slot in pool.slots), default=0)
    asked = {job.spec.name: job.spec.memory_gb or 0 for job in jobs}
    greedy = [f"{name} ({size:g})" for name, size in asked.items() if most and size * GIB > most]
    if greedy:
        raise UsageError(
            f"memory_gb: more is asked for than the {most / GIB:.1f} of the largest GPU here, by "
            f"{', '.join(greedy)}; lower the column."
        )
    large = [job.spec for job in jobs if job.spec.gpus > pool.widest]
    if large:
        names = ", ".join(f"{spec.name} ({spec.gpus})" for spec in large)
        raise UsageError(
            f"gpus: more are asked for than the {pool.widest} in the pool, by {names}; "
            "lower the column or widen --gpus or --slots."
        )

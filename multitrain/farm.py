"""The farm: places jobs on slots, watches their processes, retries, drains.

`tick(now)` does all that is due and returns what happened. Time, slots and processes are arguments,
so that scheduling is tested in milliseconds. Restarting a farm after anything is the normal case:
states are on disk, and what the processes did is read from their folders.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from jobs.errors import ExitCode, UsageError
from jobs.failures import Failure, Kind
from jobs.jobfile import JobFile
from jobs.paths import Workspace
from jobs.states import State
from jobs.store import JobRow, Store
from multitrain.datasets import cache_folder
from multitrain.disk_watch import DiskWatch
from multitrain.events import Event, Happening, JobView
from multitrain.executors import Executor
from multitrain.filming import Filming
from multitrain.in_hand import JobInHand, Try
from multitrain.launching import TrainerSettings
from multitrain.ledger import Ledger
from multitrain.notices import Notice, Notices
from multitrain.observe import NewOutputs, last_progress
from multitrain.patience import ASLEEP_SECONDS, Tries
from multitrain.placing import Placing
from multitrain.preparation import Preparation, Prospect
from multitrain.render_keeper import RenderKeeper
from multitrain.room import Room
from multitrain.roster import Roster
from multitrain.settling import Settling
from multitrain.shortfalls import Shortfalls
from multitrain.slots import Pool

STACK_SECONDS = 2.0  # for a stuck trainer to write where it is
LINGER_SECONDS = 30.0  # after which a trainer that was killed and is still there is told of


class Farm:
    """The jobs of one submission, from the queue to their films."""

    def __init__(
        self,
        workspace: Workspace,
        store: Store,
        jobs: Sequence[JobFile],
        pool: Pool,
        disk: DiskWatch,
        executor: Executor,
        keeper: RenderKeeper,
        settings: TrainerSettings,
        preparations: Sequence[Preparation] = (),
    ) -> None:
        self._workspace, self._pool, self._disk = workspace, pool, disk
        self._keeper, self._settings, self._preparations = keeper, settings, preparations
        rows = {row.name: row for row in store.jobs()}
        in_hand = [self._adopt(job, rows[job.spec.name]) for job in jobs]
        self._roster = Roster(in_hand, Ledger(store))
        self._settling = Settling(self._roster, pool, disk)
        self._placing = Placing(
            self._roster, pool, disk, executor, keeper, settings, self._settling
        )
        self._new_outputs, self._shortfalls = NewOutputs(workspace), Shortfalls(self._roster)
        self._filming = Filming(workspace, self._roster, keeper, self._shortfalls)
        self._notices = Notices()
        self._draining = False
        self._ticked_at = float("inf")

    def _adopt(self, file: JobFile, row: JobRow) -> JobInHand:
        paths, tries = self._workspace.job(row.name), Tries(file.spec.retries)
        return JobInHand(file, paths, tries, row.state, row.attempts, row.frames_done, row.error)

    # --- what others ask ---------------------------------------------------------------------

    @property
    def finished(self) -> bool:
        """Nothing is left to do, or the farm has drained; and no process is left."""
        ending = self._draining or (self._roster.all_ended and not self._filming.sends_late)
        left = self._roster.count(State.RUNNING) or not (self._keeper.idle and self._notices.idle)
        prepared = all(each.is_idle(self._ticked_at) for each in self._preparations)
        return ending and not left and prepared

    @property
    def exit_code(self) -> ExitCode:
        if not self._roster.all_ended:
            return ExitCode.DRAINED
        return ExitCode.DONE if self._roster.all_done else ExitCode.FAILED

    def rows(self) -> list[JobRow]:
        """Where every job stands, in the order of the sheet."""
        return self._roster.rows()

    def count(self, state: State) -> int:
        return self._roster.count(state)

    def views(self) -> list[JobView]:
        """The jobs that are training or rendering."""
        return [job.view for job in self._roster.in_state(State.RUNNING, State.RENDERING)]

    def waiting_for(self) -> dict[str, str]:
        """Why queued jobs do not get a slot that no job of ours holds, or films are not finished.

        By what is missing, or by job.
        """
        reasons: dict[str, str] = {}
        with suppress(OSError):  # a workspace that cannot be reached is told by the tick
            reasons = self._filming.short_of_room(self._settings.keep_free_bytes)
        queued = self._roster.in_state(State.QUEUED)
        if not queued:
            return reasons
        reasons |= self._pool.busy_reasons()
        if self._disk.shortage:
            reasons["the disk"] = self._disk.shortage
        with suppress(OSError):
            if self._placing.spool_is_full():
                reasons["the spool"] = "full; its frames are encoded first"
        usable = self._pool.usable()
        for job in queued:
            if job.file.spec.gpus > usable:
                reasons[job.name] = f"needs {job.file.spec.gpus} slots, and {usable} are left"
        return reasons | self._waiting_for_origins(queued)

    def _waiting_for_origins(self, queued: Sequence[JobInHand]) -> dict[str, str]:
        """Told of the first job that waits so, for all: a whole sheet may stand on one job."""
        waiting = [(job, origin) for job in queued if (origin := self._roster.awaited_by(job))]
        if not waiting:
            return {}
        (first, awaited), *others = waiting
        more = f" ({len(others)} more jobs wait like that)" if others else ""
        return {first.name: f"starts from {awaited.name}, which is not done yet{more}"}

    # --- what others order -------------------------------------------------------------------

    def tick(self, now: float) -> list[Event]:
        """Do what is due at `now`; tell what happened since the last tick.

        `now` is in seconds of a clock that only goes forward, here and in all that is called.
        """
        gap, self._ticked_at = max(0.0, now - self._ticked_at), now
        if gap > ASLEEP_SECONDS:
            self._excuse_everybody(gap)
        unreachable = ""
        try:
            self._look_at_disk(now)
            self._observe(now)
            self._reap(now)
            self._filming.settle(now)
            self._end_the_stuck(now)
            if self._draining or self._roster.all_ended:
                self._filming.end(now, draining=self._draining)
                self._end_preparations(now)
            else:
                self._placing.place(now)
                self._filming.go_on(now)
                self._prepare(now)
        except OSError as error:  # a network disk that is away, say; the next tick does the rest
            unreachable = f"it cannot be reached ({(error.strerror or str(error)).casefold()})"
            self._excuse_everybody(gap)
        self._roster.tell_trouble("the workspace", unreachable, "it can be reached again")
        self._notify()
        self._roster.save(now)
        return self._roster.take_events()

    def drain(self) -> None:
        """Stop gently: trainers write a checkpoint, encoders finish what is in hand."""
        self._draining = True
        self._end_preparations(self._ticked_at)
        for _, trying in self._roster.at_work():
            trying.process.drain()

    def kill(self) -> None:
        """End every process at once; the next run goes on from the last checkpoints."""
        self._draining = True
        for _, trying in self._roster.at_work():
            trying.ends_at = min(trying.ends_at, self._ticked_at)
            trying.process.kill()
        self._keeper.kill()
        self._notices.kill()
        self._end_preparations(self._ticked_at)

    def close(self) -> str:
        """Write what is not written yet; why that was impossible, or an empty text."""
        return self._roster.save_patiently()

    # --- parts of a tick ---------------------------------------------------------------------

    def _excuse_everybody(self, seconds: float) -> None:
        """The machine was asleep, or this process was stopped, and maybe its children with it."""
        for _, trying in self._roster.at_work():
            trying.watch.slept(seconds)

    def _look_at_disk(self, now: float) -> None:
        self._disk.look(now)
        if self._disk.shortage:
            cache_folder.make_room(self._workspace, most=0)  # decoded pictures can be decoded again
        self._roster.tell_trouble("the disk", self._disk.trouble, "there is room again")

    def _observe(self, now: float) -> None:
        """Read how far the trainers are and what the render worker has published."""
        for job, trying in self._roster.at_work():
            self._read_progress(job, trying, now)
        for name, path in self._new_outputs.look():
            if job_in_hand := self._roster.get(name):
                self._keeper.progresses()
                self._roster.tell(Happening.PUBLISHED, job_in_hand, f"published {path}")
                self._shortfalls.look(job_in_hand)

    def _read_progress(self, job: JobInHand, trying: Try, now: float) -> None:
        progress = trying.progress = last_progress(job.paths.progress) or trying.progress
        moved = progress and progress.frame != job.frames_done
        if progress and moved and self._roster.made(job, progress.frame):
            self._disk.took_a_write()
        trying.watch.saw(job.frames_done + (progress.walked if progress else 0), now)

    def _reap(self, now: float) -> None:
        """Settle the jobs whose trainer's whole process tree is gone."""
        for job, trying in self._roster.at_work():
            code = trying.process.poll()
            if code is None:
                continue
            self._read_progress(job, trying, now)  # its last words
            self._settling.ended(job, trying, code, now, draining=self._draining)
            self._pool.release(trying.lease, now)
            self._roster.tell_trouble(job.name, "", "its trainer has ended")

    def _end_the_stuck(self, now: float) -> None:
        """End trainers that make no frames any more, or cannot on the slots that they have."""
        for job, trying in self._roster.at_work():
            lingers = now > trying.ends_at + LINGER_SECONDS
            trouble = f"its trainer cannot be ended and keeps {job.slot}" if lingers else ""
            self._roster.tell_trouble(job.name, trouble, "its trainer has ended")
            if now >= trying.ends_at:
                trying.process.kill()
            elif trying.condemned:
                continue
            elif fault := self._pool.fault(trying.lease, now):
                trying.condemn(Failure(Kind.DEVICE, fault), ends_at=now)
            elif trying.watch.is_slow(now) and (reason := self._what_holds_up(job)):
                trying.watch.excuse(now)
                self._roster.tell(Happening.HELD_UP, job, f"waits: {reason}")
            elif trying.watch.is_stuck(now):
                reason = f"{trying.watch.complaint}; it was ended (stall_minutes)"
                trying.process.dump_stack()
                trying.condemn(Failure(Kind.STALLED, reason), ends_at=now + STACK_SECONDS)

    def _what_holds_up(self, job: JobInHand) -> str | None:
        """Why a trainer cannot make frames now: the disk, or the render worker."""
        covered = job.checkpoint.frame if job.checkpoint else 0
        takable = covered if job.file.spec.use_checkpoints else job.frames_done
        room = Room(job.paths, self._settings.spool_bytes, self._settings.keep_free_bytes)
        plan = job.file.plan
        step = plan.frame_bytes * plan.frames_per_step
        return self._disk.shortage or room.shortage(takable, coming=step, waiting=True)

    def _notify(self) -> None:
        """Tell of the jobs that have ended whom their sheet says, before the store knows it."""
        for job in self._roster.take_ended():
            if notice := Notice.of(job.paths, job.file, job.state, job.error):
                self._notices.begin(notice)
        for trouble in self._notices.take_troubles():
            if job_in_hand := self._roster.get(trouble.job):
                self._roster.tell(Happening.TROUBLE, job_in_hand, trouble.text)

    def _prepare(self, now: float) -> None:
        """For the jobs that come next."""
        at_work = self._roster.at_work()
        is_calm = not any(trying.is_starting(now) for _, trying in at_work)
        running, queued = [job for job, _ in at_work], self._roster.in_state(State.QUEUED)
        queued.sort(key=lambda job: self._roster.awaited_by(job) is not None)  # these come later
        for each in self._preparations:
            each.prepare(Prospect(running, queued, is_calm), now)

    def _end_preparations(self, now: float) -> None:
        for each in self._preparations:
            each.end(now)


def check_slots(jobs: Sequence[JobFile], pool: Pool) -> None:
    """UsageError where a job asks for more slots than there are."""
    large = [job.spec for job in jobs if job.spec.gpus > pool.size]
    if large:
        names = ", ".join(f"{spec.name} ({spec.gpus})" for spec in large)
        raise UsageError(
            f"gpus: more are asked for than the {pool.size} in the pool, by {names}; "
            "lower the column or widen --gpus or --slots."
        )

"""The farm: places jobs on slots, watches their processes, retries, drains.

`tick(now)` does all that is due and returns what happened. Time, slots and processes are arguments,
so that scheduling is tested in milliseconds. Restarting a farm after anything is the normal case:
states are on disk, and what the processes did is read from their folders.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from jobs.disk import means_full
from jobs.errors import ExitCode, MultitrainError, UsageError
from jobs.failures import Failure, Kind
from jobs.jobfile import JobFile
from jobs.paths import Workspace
from jobs.states import State
from jobs.store import JobRow, Store
from multitrain.disk_watch import DiskWatch
from multitrain.events import Event, Happening, JobView, Troubles
from multitrain.executors import Executor
from multitrain.in_hand import JobInHand, Try
from multitrain.launching import TrainerSettings
from multitrain.ledger import Ledger
from multitrain.observe import NewVideos, last_progress, training_failure
from multitrain.patience import StallWatch, Tries
from multitrain.render_keeper import RenderKeeper
from multitrain.room import Room
from multitrain.slots import Lease, Pool
from render.clearing import clear_up
from render.spool import spooled_bytes

# Another try would end the same.
FINAL_FAILURES = {Kind.DIVERGED, Kind.FRAMES_LOST, Kind.PICTURES_CHANGED, Kind.RENDER}

STACK_SECONDS = 2.0  # for a stuck trainer to write where it is


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
    ) -> None:
        self._workspace, self._pool, self._disk = workspace, pool, disk
        self._executor, self._keeper, self._settings = executor, keeper, settings
        self._ledger = Ledger(store)
        rows = {row.name: row for row in store.jobs()}
        self._jobs = {job.spec.name: self._adopt(job, rows[job.spec.name]) for job in jobs}
        self._events: list[Event] = []
        self._troubles = Troubles()
        self._draining = False
        self._new_videos = NewVideos(workspace)

    def _adopt(self, file: JobFile, row: JobRow) -> JobInHand:
        paths, tries = self._workspace.job(row.name), Tries(file.spec.retries)
        return JobInHand(file, paths, tries, row.state, row.attempts, row.frames_done, row.error)

    # --- what others ask ---------------------------------------------------------------------

    @property
    def finished(self) -> bool:
        """Nothing is left to do, or the farm has drained; and no process is left."""
        ending = self._draining or self._all_ended
        return ending and not self._in_state(State.RUNNING) and self._keeper.idle

    @property
    def exit_code(self) -> ExitCode:
        if not self._all_ended:
            return ExitCode.DRAINED
        failed = any(job.state is not State.DONE for job in self._jobs.values())
        return ExitCode.FAILED if failed else ExitCode.DONE

    def count(self, state: State) -> int:
        return len(self._in_state(state))

    def views(self) -> list[JobView]:
        """The jobs that are training or rendering."""
        active = self._in_state(State.RUNNING, State.RENDERING)
        return [
            JobView(
                name=job.name,
                state=job.state,
                slot=job.slot,
                frames_done=job.frames_done,
                frames_total=job.file.spec.frames_total,
                frames_per_second=job.speed,
            )
            for job in active
        ]

    def waiting_for(self) -> dict[str, str]:
        """Why queued jobs do not get a slot that no job of ours holds: what -> reason."""
        if not self._in_state(State.QUEUED):
            return {}
        reasons = self._pool.busy_reasons()
        if self._disk.shortage:
            reasons["the disk"] = self._disk.shortage
        if self._spool_is_full():
            reasons["the spool"] = "full; its frames are encoded first"
        return reasons

    # --- what others order -------------------------------------------------------------------

    def tick(self, now: float) -> list[Event]:
        """Do what is due at `now` (unix seconds); tell what happened since the last tick."""
        self._look_at_disk(now)
        self._observe(now)
        self._reap(now)
        self._settle_rendering(now)
        self._end_the_stuck(now)
        if self._draining or self._all_ended:
            self._keeper.drain()
        else:
            self._place(now)
            self._keep_rendering(now)
        self._write_states()
        events, self._events = self._events, []
        return events

    def drain(self) -> None:
        """Stop gently: trainers write a checkpoint, encoders finish what is in hand."""
        self._draining = True
        for _, trying in self._trying():
            trying.process.drain()

    def kill(self) -> None:
        """End every process at once; the next run goes on from the last checkpoints."""
        self._draining = True
        for _, trying in self._trying():
            trying.process.kill()
        self._keeper.kill()

    # --- parts of a tick ---------------------------------------------------------------------

    def _look_at_disk(self, now: float) -> None:
        self._disk.look(now)
        self._events += self._troubles.tell("the disk", self._disk.shortage, "there is room again")

    def _observe(self, now: float) -> None:
        """Read how far the trainers are and what the render worker has published."""
        for job, trying in self._trying():
            self._read_progress(job, trying, now)
        for name, path in self._new_videos.look():
            if name in self._jobs:
                self._keeper.progresses()
                self._tell(Happening.PUBLISHED, self._jobs[name], f"published {path}")

    def _read_progress(self, job: JobInHand, trying: Try, now: float) -> None:
        trying.progress = last_progress(job.paths.progress) or trying.progress
        if trying.progress and trying.progress.frame != job.frames_done:
            job.frames_done = trying.progress.frame
            self._ledger.note(job.row)
        trying.watch.saw(job.frames_done, now)

    def _reap(self, now: float) -> None:
        """Settle the jobs whose trainer's whole process tree is gone."""
        for job, trying in self._trying():
            code = trying.process.poll()
            if code is None:
                continue
            self._read_progress(job, trying, now)  # its last words
            job.trying = None
            self._settle(job, trying, code, now)
            self._pool.release(trying.lease, now)

    def _settle(self, job: JobInHand, trying: Try, code: int, now: float) -> None:
        if trying.condemned and trying.condemned.kind in FINAL_FAILURES:
            self._fail(job, trying.condemned.reason)
        elif code == ExitCode.DONE and job.frames_done == job.file.spec.frames_total:
            self._move(job, State.RENDERING)
            if not job.paths.manifest.exists():
                self._tell(Happening.TRAINED, job, "trained; the film is being finished")
        elif code == ExitCode.DRAINED or (self._draining and code < 0):
            self._put_back(job)
            self._tell(Happening.DRAINED, job, f"stopped at frame {job.frames_done}")
        else:
            failure = trying.condemned or training_failure(job.paths, code)
            self._settle_failure(job, trying.lease, failure, now)

    def _settle_failure(self, job: JobInHand, lease: Lease, failure: Failure, now: float) -> None:
        reason = f"{failure.reason} (log: {job.paths.log})"
        if failure.kind is Kind.DISK_FULL:
            self._disk.met_full(now)
            self._put_back(job, reason)
            self._tell(Happening.RETRIED, job, f"{reason}; it goes on when there is room")
        elif failure.kind is Kind.DEVICE and self._pool.set_aside(lease, failure.reason, now):
            self._put_back(job, reason)
            self._tell(Happening.RETRIED, job, f"{reason}; it goes to other slots than these")
        else:
            self._retry_or_fail(job, failure.kind, reason, now)

    def _retry_or_fail(self, job: JobInHand, kind: Kind, reason: str, now: float) -> None:
        job.tries.failed(job.checkpoint, now)
        if kind in FINAL_FAILURES or job.tries.left < 1:
            self._fail(job, reason)
            return
        self._move(job, State.QUEUED, reason)
        self._tell(Happening.RETRIED, job, f"{reason}; tries left: {job.tries.left}")

    def _put_back(self, job: JobInHand, error: str = "") -> None:
        """Queue a job whose try has ended by no fault of its own."""
        job.attempts -= 1
        self._move(job, State.QUEUED, error)

    def _settle_rendering(self, now: float) -> None:
        """Settle the jobs whose film is there or cannot be."""
        for job in self._in_state(State.RUNNING, State.RENDERING):
            if failure := Failure.load(job.paths.render_failure):
                self._abandon(job, f"{failure.reason} (log: {self._workspace.render_log})", now)
            elif job.state is State.RENDERING and job.paths.manifest.exists():
                self._keeper.finished(job.name)
                with suppress(OSError):  # the worker has done so, unless it was killed just then
                    clear_up(job.paths)
                self._move(job, State.DONE)
                self._tell(Happening.DONE, job, "done")

    def _end_the_stuck(self, now: float) -> None:
        """End trainers that make no frames any more, or cannot on the slots that they have."""
        for job, trying in self._trying():
            if now >= trying.ends_at:
                trying.process.kill()
            elif trying.condemned:
                continue
            elif fault := self._pool.fault(trying.lease, now):
                trying.condemn(Failure(Kind.DEVICE, fault), ends_at=now)
            elif trying.watch.is_slow(now) and self._waits_for_room(job):
                trying.watch.excuse(now)
            elif trying.watch.is_stuck(now):
                minutes = trying.watch.limit / 60
                reason = f"no new frame for {minutes:g} minutes (stall_minutes); it was ended"
                trying.process.dump_stack()
                trying.condemn(Failure(Kind.STALLED, reason), ends_at=now + STACK_SECONDS)

    def _waits_for_room(self, job: JobInHand) -> bool:
        """Whether a trainer is held up by the disk or by the render worker."""
        room = Room(job.paths, self._settings.spool_bytes)
        return bool(self._disk.shortage or room.shortage(job.frames_done))

    def _keep_rendering(self, now: float) -> None:
        """Have a worker for the jobs that make frames or have made them."""
        rendered = self._in_state(State.RUNNING, State.RENDERING)
        for job in rendered:
            self._keeper.take(job.name)
        try:
            self._keeper.keep_alive(now)
        except MultitrainError as error:
            for job in rendered:
                self._abandon(job, str(error), now)

    def _abandon(self, job: JobInHand, reason: str, now: float) -> None:
        """Fail a job that cannot be rendered; one that still trains, when its trainer is gone."""
        self._keeper.finished(job.name)
        if job.trying:
            job.trying.condemn(Failure(Kind.RENDER, reason), ends_at=now)
        else:
            self._fail(job, reason)

    def _place(self, now: float) -> None:
        """Give free slots to queued jobs, strictly in order so that no large job starves."""
        queued = [job for job in self._in_state(State.QUEUED) if job.tries.may_start(now)]
        if not queued or self._disk.shortage or self._spool_is_full():
            return
        free = self._pool.free(now)
        for job in queued:
            wanted = job.file.spec.gpus
            if len(free) < wanted:
                return
            lease = self._pool.acquire(free[:wanted])
            if lease is None:
                return
            free = free[wanted:]
            self._start(job, lease, now)

    def _spool_is_full(self) -> bool:
        """Whether jobs that have trained still keep as much of the spool as one that trains."""
        kept = sum(spooled_bytes(job.paths) for job in self._in_state(State.RENDERING))
        return kept > self._settings.spool_bytes

    def _start(self, job: JobInHand, lease: Lease, now: float) -> None:
        job.attempts += 1
        seconds = job.file.spec.stall_minutes * 60
        try:
            for stale in (job.paths.training_failure, job.paths.render_failure):
                stale.unlink(missing_ok=True)
            job.file.save(job.paths)
            process = self._executor.start(self._settings.launch(job.paths, lease, seconds))
        except (MultitrainError, OSError) as error:
            kind = Kind.DISK_FULL if means_full(error) else Kind.ERROR
            failure = Failure(kind, f"it cannot be started: {error}")
            self._settle_failure(job, lease, failure, now)
            self._pool.release(lease, now)
            return
        job.trying = Try(process, lease, StallWatch(seconds, job.frames_done, now))
        self._move(job, State.RUNNING, job.error)
        going_on = f", goes on from frame {job.checkpoint.frame}" if job.checkpoint else ""
        self._tell(Happening.STARTED, job, f"started on {lease.label}{going_on}")

    def _write_states(self) -> None:
        trouble = self._ledger.save()
        told = f"they cannot be written ({trouble}); the jobs go on" if trouble else ""
        self._events += self._troubles.tell("states of jobs", told, "they are written again")

    # --- small things ------------------------------------------------------------------------

    @property
    def _all_ended(self) -> bool:
        return all(job.state.ended for job in self._jobs.values())

    def _in_state(self, *states: State) -> list[JobInHand]:
        return [job for job in self._jobs.values() if job.state in states]

    def _trying(self) -> list[tuple[JobInHand, Try]]:
        return [(job, job.trying) for job in self._jobs.values() if job.trying]

    def _move(self, job: JobInHand, state: State, error: str = "") -> None:
        assert job.state.may_become(state), f"{job.name} from {job.state} to {state}"
        job.state, job.error = state, error
        self._ledger.note(job.row)

    def _fail(self, job: JobInHand, reason: str) -> None:
        self._move(job, State.FAILED, reason)
        self._tell(Happening.FAILED, job, f"failed: {reason}")

    def _tell(self, happening: Happening, job: JobInHand, text: str) -> None:
        self._events.append(Event(happening, job.name, text))


def check_slots(jobs: Sequence[JobFile], pool: Pool) -> None:
    """UsageError where a job asks for more slots than there are."""
    large = [job.spec for job in jobs if job.spec.gpus > pool.size]
    if large:
        names = ", ".join(f"{spec.name} ({spec.gpus})" for spec in large)
        raise UsageError(
            f"gpus: more are asked for than the {pool.size} in the pool, by {names}; "
            "lower the column or widen --gpus or --slots."
        )

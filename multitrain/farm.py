"""The farm: places jobs on slots, watches their processes, retries, drains.

`tick(now)` does all that is due and returns what happened. Time, slots and processes are arguments,
so that scheduling is tested in milliseconds. Restarting a farm after anything is the normal case:
states are on disk, and what the processes did is read from their folders.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs.errors import ExitCode, MultitrainError, UsageError
from jobs.failures import Failure, Kind
from jobs.jobfile import JobFile
from jobs.paths import JobPaths, Workspace, modified
from jobs.states import State
from jobs.store import Store
from multitrain.events import Event, Happening, JobView
from multitrain.executors import Executor, Process
from multitrain.launching import TrainerSettings
from multitrain.observe import (
    Progress,
    last_progress,
    published_videos,
    training_failure,
)
from multitrain.render_keeper import RenderKeeper
from multitrain.slots import Lease, Pool
from render.spool import spooled_bytes

FINAL_FAILURES = {Kind.DIVERGED, Kind.FRAMES_LOST}  # another try would end the same


@dataclass
class _Job:
    """A job in the farm's hands."""

    file: JobFile
    paths: JobPaths
    state: State
    attempts: int
    frames_done: int
    error: str = ""
    abandoned: str = ""  # why it is ended although it trains
    progress: Progress | None = None
    process: Process | None = None
    lease: Lease | None = None

    @property
    def name(self) -> str:
        return self.paths.name


class Farm:
    """The jobs of one submission, from the queue to their films."""

    def __init__(
        self,
        workspace: Workspace,
        store: Store,
        jobs: Sequence[JobFile],
        pool: Pool,
        executor: Executor,
        keeper: RenderKeeper,
        settings: TrainerSettings,
    ) -> None:
        self._workspace, self._store, self._pool = workspace, store, pool
        self._executor, self._keeper, self._settings = executor, keeper, settings
        self._jobs = {job.spec.name: self._adopt(job) for job in jobs}
        self._events: list[Event] = []
        self._draining = False
        self._seen: set[Path] = set()
        self._renders_changed = -1
        self._new_videos()  # those of earlier runs are no news

    def _adopt(self, file: JobFile) -> _Job:
        row = self._store.job(file.spec.name)
        assert row is not None, "submitted before"
        paths = self._workspace.job(row.name)
        return _Job(file, paths, row.state, row.attempts, row.frames_done, row.error)

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
                slot=job.lease.label if job.lease else "",
                frames_done=job.frames_done,
                frames_total=job.file.spec.frames_total,
                frames_per_second=job.progress.frames_per_second if job.progress else 0.0,
            )
            for job in active
        ]

    def waiting_for(self) -> dict[str, str]:
        """Why queued jobs do not get a slot that no job of ours holds: what -> reason."""
        if not self._in_state(State.QUEUED):
            return {}
        full = {"the spool": "full; its frames are encoded first"} if self._spool_is_full() else {}
        return {**full, **self._pool.busy_reasons()}

    # --- what others order -------------------------------------------------------------------

    def tick(self, now: float) -> list[Event]:
        """Do what is due at `now` (unix seconds); tell what happened since the last tick."""
        with self._store.transaction():
            self._observe()
            self._reap(now)
            self._settle_rendering()
            if self._draining or self._all_ended:
                self._keeper.drain()
            else:
                self._place(now)
                self._keep_rendering(now)
        events, self._events = self._events, []
        return events

    def drain(self) -> None:
        """Stop gently: trainers write a checkpoint, encoders finish what is in hand."""
        self._draining = True
        for job in self._in_state(State.RUNNING):
            if job.process:
                job.process.drain()

    def kill(self) -> None:
        """End every process at once; the next run goes on from the last checkpoints."""
        self._draining = True
        for job in self._in_state(State.RUNNING):
            if job.process:
                job.process.kill()
        self._keeper.kill()

    # --- parts of a tick ---------------------------------------------------------------------

    def _observe(self) -> None:
        """Read how far the trainers are and what the render worker has published."""
        for job in self._in_state(State.RUNNING):
            self._read_progress(job)
        for name, path in self._new_videos():
            if name in self._jobs:
                self._keeper.progresses()
                self._tell(Happening.PUBLISHED, self._jobs[name], f"published {path}")

    def _read_progress(self, job: _Job) -> None:
        job.progress = last_progress(job.paths.progress) or job.progress
        if job.progress and job.progress.frame != job.frames_done:
            job.frames_done = job.progress.frame
            self._store.record_frames(job.name, job.frames_done)

    def _new_videos(self) -> list[tuple[str, Path]]:
        """What has come to `renders/` since the last tick."""
        changed = modified(self._workspace.renders)
        if changed == self._renders_changed:
            return []
        self._renders_changed = changed
        listed = [
            (name, path)
            for name, paths in published_videos(self._workspace).items()
            for path in paths
            if path not in self._seen
        ]
        self._seen.update(path for _, path in listed)
        return listed

    def _reap(self, now: float) -> None:
        """Settle the jobs whose trainer's whole process tree is gone."""
        for job in self._in_state(State.RUNNING):
            code = job.process.poll() if job.process else None
            if code is None:
                continue
            if job.lease:
                self._pool.release(job.lease, now)
            self._read_progress(job)  # its last words
            job.process = job.lease = job.progress = None
            self._settle(job, code)

    def _settle(self, job: _Job, code: int) -> None:
        if job.abandoned:
            self._fail(job, job.abandoned)
        elif code == ExitCode.DONE and job.frames_done == job.file.spec.frames_total:
            self._move(job, State.RENDERING)
            if not job.paths.manifest.exists():
                self._tell(Happening.TRAINED, job, "trained; the film is being finished")
        elif code == ExitCode.DRAINED or (self._draining and code < 0):
            job.attempts -= 1  # a drained start is not a failed one
            self._move(job, State.QUEUED)
            self._tell(Happening.DRAINED, job, f"stopped at frame {job.frames_done}")
        else:
            self._retry_or_fail(job, code)

    def _retry_or_fail(self, job: _Job, code: int) -> None:
        failure = training_failure(job.paths, code)
        told_with_log = f"{failure.reason} (log: {job.paths.log})"
        if failure.kind in FINAL_FAILURES or job.attempts > job.file.spec.retries:
            self._fail(job, told_with_log)
            return
        self._move(job, State.QUEUED, error=told_with_log)
        left = job.file.spec.retries - job.attempts + 1
        self._tell(Happening.RETRIED, job, f"{told_with_log}; tries left: {left}")

    def _settle_rendering(self) -> None:
        """Settle the jobs whose film is there or cannot be."""
        for job in self._in_state(State.RUNNING, State.RENDERING):
            if failure := Failure.load(job.paths.render_failure):
                self._abandon(job, f"{failure.reason} (log: {self._workspace.render_log})")
            elif job.state is State.RENDERING and job.paths.manifest.exists():
                self._keeper.finished(job.name)
                self._move(job, State.DONE)
                self._tell(Happening.DONE, job, "done")

    def _keep_rendering(self, now: float) -> None:
        """Have a worker for the jobs that make frames or have made them."""
        rendered = self._in_state(State.RUNNING, State.RENDERING)
        for job in rendered:
            self._keeper.take(job.name)
        try:
            self._keeper.keep_alive(now)
        except MultitrainError as error:
            for job in rendered:
                self._abandon(job, str(error))

    def _abandon(self, job: _Job, reason: str) -> None:
        """Fail a job that cannot be rendered; one that still trains, when its trainer is gone."""
        self._keeper.finished(job.name)
        job.abandoned = reason
        if job.process:
            job.process.kill()
        else:
            self._fail(job, reason)

    def _place(self, now: float) -> None:
        """Give free slots to queued jobs, strictly in order so that no large job starves."""
        queued = self._in_state(State.QUEUED)
        if not queued or self._spool_is_full():
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

    def _start(self, job: _Job, lease: Lease, now: float) -> None:
        try:
            for stale in (job.paths.training_failure, job.paths.render_failure):
                stale.unlink(missing_ok=True)
            job.file.save(job.paths)
            job.process = self._executor.start(self._settings.launch(job.paths, lease))
        except (MultitrainError, OSError) as error:
            self._pool.release(lease, now)
            self._fail(job, f"it cannot be started: {error}")
            return
        job.lease = lease
        job.attempts += 1
        self._move(job, State.RUNNING, slot=lease.label, error=job.error)
        checkpoints = job.paths.checkpoint_names()
        going_on = f", goes on from frame {checkpoints[-1].frame}" if checkpoints else ""
        self._tell(Happening.STARTED, job, f"started on {lease.label}{going_on}")

    # --- small things ------------------------------------------------------------------------

    @property
    def _all_ended(self) -> bool:
        return all(job.state.ended for job in self._jobs.values())

    def _in_state(self, *states: State) -> list[_Job]:
        return [job for job in self._jobs.values() if job.state in states]

    def _move(self, job: _Job, state: State, *, slot: str = "", error: str = "") -> None:
        job.state, job.error = state, error
        self._store.transition(job.name, state, attempts=job.attempts, slot=slot, error=error)

    def _fail(self, job: _Job, reason: str) -> None:
        self._move(job, State.FAILED, error=reason)
        self._tell(Happening.FAILED, job, f"failed: {reason}")

    def _tell(self, happening: Happening, job: _Job, text: str) -> None:
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

"""Gives free slots to queued jobs, once what they start from is done, and starts their trainers."""

from __future__ import annotations

from collections.abc import Iterable

from jobs.errors import MultitrainError
from jobs.workspace.disk import means_full
from jobs.workspace.failures import Failure, Kind
from jobs.workspace.states import State
from multitrain.farm.active_job import ActiveJob, Try
from multitrain.farm.disk_watch import DiskWatch
from multitrain.farm.events import Happening
from multitrain.farm.job_table import JobTable
from multitrain.farm.launching import TrainerExecutor, TrainerSettings
from multitrain.farm.outcomes import Outcomes
from multitrain.farm.progress_reader import last_progress
from multitrain.farm.render_keeper import RenderKeeper
from multitrain.farm.shares import Shares, owner_of
from multitrain.farm.stalls_and_retries import StallWatch
from multitrain.slots.slots import Lease, Pool
from render.spool.spool import spooled_bytes


class Placement:
    """Strictly in the order of the queue, so that no large job starves.

    Where several owners have jobs, those of the same priority take turns by owner (`shares`).
    """

    def __init__(
        self,
        table: JobTable,
        pool: Pool,
        disk: DiskWatch,
        executor: TrainerExecutor,
        keeper: RenderKeeper,
        settings: TrainerSettings,
        outcomes: Outcomes,
    ) -> None:
        self._table, self._pool, self._disk = table, pool, disk
        self._executor, self._keeper, self._settings = executor, keeper, settings
        self._outcomes = outcomes
        self._shares = Shares()

    def place(self, now: float) -> None:
        """Start all that can be started now. OSError where the workspace cannot be reached."""
        self._fail_the_orphaned()
        if not self._table.count(State.QUEUED) or self._disk.shortage or self.spool_is_full():
            return
        free, usable = self._pool.free(now), self._pool.usable()
        for job in self._queue(now):
            if not free:
                return
            if job.trying or self._table.awaited_by(job):
                continue  # resumed before its trainer has stopped; or it waits for others
            wanted = job.file.spec.gpus
            if wanted > usable or not job.tries.may_start(now):
                continue  # too many GPUs are lost for good; or the job pauses after a failure
            if len(free) < wanted:
                return
            lease = self._pool.acquire(free[:wanted])
            if lease is None:
                return
            free = free[wanted:]
            self._start(job, lease, now)
            if self._disk.shortage:  # as the failed start has shown
                return

    def _queue(self, now: float) -> Iterable[ActiveJob]:
        queued = self._table.in_state(State.QUEUED)
        if len(self._table.owners) < 2:
            return queued
        at_work = self._table.working
        self._shares.look(at_work.values(), map(owner_of, queued), now)
        return self._shares.in_order(queued, at_work)

    def _fail_the_orphaned(self) -> None:
        """Fail queued jobs that wait for one that has failed, and so on along the line."""
        while failed := [
            (job, awaited)
            for job, awaited in self._table.awaiting()
            if awaited.state is State.FAILED
        ]:
            for job, (origin, _, starts_from) in failed:
                said = "its origin {} failed" if starts_from else "{}, which it awaits, failed"
                self._table.fail(job, said.format(origin))

    def spool_is_full(self) -> bool:
        """Whether jobs that have trained still keep more of the spool than the share of one job."""
        kept = sum(spooled_bytes(job.paths) for job in self._table.in_state(State.RENDERING))
        return kept > self._settings.spool_bytes

    def _start(self, job: ActiveJob, lease: Lease, now: float) -> None:
        job.attempts += 1
        try:
            self._forget_failures(job)
            job.file.save(job.paths)
            process = self._executor.start(self._settings.launch(job.file, job.paths, lease))
        except (MultitrainError, OSError) as error:
            kind = Kind.DISK_FULL if means_full(error) else Kind.ERROR
            failure = Failure(kind, f"it cannot be started: {error}")
            self._outcomes.failed(job, lease, failure, now)
            self._pool.release(lease, now)
            return
        reported = last_progress(job.paths.progress)
        step = reported.step if reported else 0
        watch = StallWatch(job.file.spec.stall_minutes * 60, step, now)
        self._table.begin(job, Try(process, lease, watch, now, job.paths.progress, step))
        newest, place = job.checkpoint, ""
        if newest and job.file.plan.timing.has_silent_steps:
            place = f", goes on from step {newest.step}, frame {newest.frame}"
        elif newest:
            place = f", goes on from frame {newest.frame}"
        self._table.tell(Happening.STARTED, job, f"started on {lease.label}{place}")

    def _forget_failures(self, job: ActiveJob) -> None:
        """Delete the failures of the try before, which also made the render worker drop the job."""
        job.paths.training_failure.unlink(missing_ok=True)
        if job.paths.render_failure.exists():
            job.paths.render_failure.unlink(missing_ok=True)
            self._keeper.finished(job.name)

"""Gives free slots to queued jobs, once what they start from is done, and starts their trainers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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
from multitrain.farm.speed_records import SpeedRecorder
from multitrain.farm.stalls_and_retries import StallWatch
from multitrain.forecasts.memory import memory_of
from multitrain.slots.slots import Lease, Pool, Slot
from render.spool.spool import spooled_bytes

GIB = 2**30
UNFINISHED_PER_SLOT = 8  # jobs that are trained and whose films are not finished, at most


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
        recorder: SpeedRecorder,
    ) -> None:
        self._table, self._pool, self._disk = table, pool, disk
        self._executor, self._keeper, self._settings = executor, keeper, settings
        self._outcomes, self._recorder = outcomes, recorder
        self._shares = Shares()
        self._needs: dict[tuple[str, int, int], int] = {}  # by job, its settings, known speeds
        self.short_of_memory: dict[str, str] = {}  # why the first job in the queue does not fit

    def place(self, now: float) -> None:
        """Start all that can be started now. OSError where the workspace cannot be reached."""
        self._fail_the_orphaned()
        self.short_of_memory = {}
        if not self._table.count(State.QUEUED) or self._disk.shortage or self.backlog():
            return
        free, widest = self._pool.free(now), self._pool.widest
        waiting = self._table.awaiting()
        for job in self._queue(now):
            if not free:
                return
            if job.is_held or job.name in waiting:
                continue
            wanted = job.file.spec.gpus
            if wanted > widest or not job.tries.may_start(now):
                continue  # too many GPUs are lost for good; or the job pauses after a failure
            if len(free) < wanted:
                return
            fitting = [slot for slot in free if self._has_memory(slot, job)]
            if len(fitting) < wanted:
                self._tell_short(job, free)
                if self._may_fit_later(job, free):
                    return
                continue
            lease = self._pool.acquire(fitting[:wanted])
            if lease is None:
                return
            free = [slot for slot in free if slot not in lease.slots]
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
        for job, (origin, _, starts_from) in self._table.in_line_behind(State.FAILED):
            said = "its origin {} failed" if starts_from else "{}, which it awaits, failed"
            self._table.fail(job, said.format(origin))

    def backlog(self) -> dict[str, str]:
        """What encoders have to catch up with before more jobs start: why, by what it is.

        Trainers come before encoders on the cores: without a bound, thousands of short jobs would
        all be trained before most films are made, and each tick would look at all of them.
        """
        trained = self._table.in_state(State.RENDERING)
        if len(trained) >= UNFINISHED_PER_SLOT * self._pool.size:
            return {"the films": f"{len(trained)} are finished first"}
        if sum(spooled_bytes(job.paths) for job in trained) > self._settings.spool_bytes:
            return {"the spool": "full; its frames are encoded first"}
        return {}

    def _may_fit_later(self, job: ActiveJob, free: Sequence[Slot]) -> bool:
        """Whether slots that jobs of ours hold now could make up for those that are missing."""
        of_others = {slot.id for other in self._table.working.values() for slot in held_by(other)}
        empty = [slot for slot in free if slot.id not in of_others]
        fitting = sum(self._has_memory(slot, job) for slot in empty)
        return fitting + len(of_others) >= job.file.spec.gpus and not too_large(job, self._pool)

    def _has_memory(self, slot: Slot, job: ActiveJob) -> bool:
        free = self._pool.reading(slot).memory_free
        if free is None or job.file.spec.memory_gb is not None:
            return free is None or free >= memory_needed(job)
        # On a GPU of its own, a job goes on having what is there, as wherever it ran before.
        return not self._pool.is_shared(slot) or free >= self.remembered_need(job, slot)

    def remembered_need(self, job: ActiveJob, slot: Slot) -> int:
        """Bytes of such a GPU that an earlier job like this one needed; 0 where none was seen."""
        speeds = self._recorder.speeds
        key = job.name, id(job.file), len(speeds)
        if key not in self._needs:
            self._needs = {key: memory_of(job.file, slot.model, speeds) or 0}
        return self._needs[key]

    def _tell_short(self, job: ActiveJob, free: Sequence[Slot]) -> None:
        shared = [slot for slot in free if self._pool.is_shared(slot)]
        needed = max((self.remembered_need(job, slot) for slot in shared), default=0)
        if job.file.spec.memory_gb is None and needed:
            there = max(self._pool.reading(slot).memory_free or 0 for slot in shared)
            self.short_of_memory[job.name] = (
                f"needs {needed / GIB:.1f} GB of a GPU, as an earlier job like it did; "
                f"{there / GIB:.1f} are free beside others"
            )

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


def held_by(job: ActiveJob) -> Sequence[Slot]:
    """The slots of its trainer."""
    return job.trying.lease.slots if job.trying else ()


def memory_needed(job: ActiveJob) -> float:
    """Bytes of GPU memory that its sheet asks for."""
    return (job.file.spec.memory_gb or 0.0) * GIB


def too_large(job: ActiveJob, pool: Pool) -> bool:
    """Whether too few slots would have the memory that the job asks for if nobody used it."""
    needed = memory_needed(job)
    totals = {slot.id: pool.reading(slot).memory_total for slot in pool.slots}
    large = sum(total is None or total >= needed for total in totals.values())
    return large < job.file.spec.gpus

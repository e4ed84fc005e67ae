"""Gives free slots to queued jobs, once what they start from is done, and starts their trainers."""

from __future__ import annotations

from jobs.disk import means_full
from jobs.errors import MultitrainError
from jobs.failures import Failure, Kind
from jobs.states import State
from multitrain.disk_watch import DiskWatch
from multitrain.events import Happening
from multitrain.executors import Executor
from multitrain.in_hand import JobInHand, Try
from multitrain.launching import TrainerSettings
from multitrain.patience import StallWatch
from multitrain.render_keeper import RenderKeeper
from multitrain.roster import Roster
from multitrain.settling import Settling
from multitrain.slots import Lease, Pool
from render.spool import spooled_bytes

_LOST = {State.FAILED: "failed", State.CANCELLED: "was cancelled"}  # states of an origin


class Placing:
    """Strictly in the order of the sheet, so that no large job starves."""

    def __init__(
        self,
        roster: Roster,
        pool: Pool,
        disk: DiskWatch,
        executor: Executor,
        keeper: RenderKeeper,
        settings: TrainerSettings,
        settling: Settling,
    ) -> None:
        self._roster, self._pool, self._disk = roster, pool, disk
        self._executor, self._keeper, self._settings = executor, keeper, settings
        self._settling = settling

    def place(self, now: float) -> None:
        """Start all that can be started now. OSError where the workspace cannot be reached."""
        self._fail_the_orphaned()
        if not self._roster.count(State.QUEUED) or self._disk.shortage or self.spool_is_full():
            return
        free, usable = self._pool.free(now), self._pool.usable()
        for job in self._roster.in_state(State.QUEUED):
            if not free:
                return
            if self._roster.awaited_by(job):
                continue
            wanted = job.file.spec.gpus
            if wanted > usable or not job.tries.may_start(now):
                continue  # some are lost: no wait brings them back; or it waits after a failure
            if len(free) < wanted:
                return
            lease = self._pool.acquire(free[:wanted])
            if lease is None:
                return
            free = free[wanted:]
            self._start(job, lease, now)
            if self._disk.shortage:  # as that has shown
                return

    def _fail_the_orphaned(self) -> None:
        """Those in the queue whose origin will not be done. Origins stand above their jobs."""
        for job in self._roster.in_state(State.QUEUED):
            origin = self._roster.awaited_by(job)
            if origin and origin.state in _LOST:
                self._roster.fail(job, f"its origin {origin.name} {_LOST[origin.state]}")

    def spool_is_full(self) -> bool:
        """Whether jobs that have trained still keep as much of the spool as one that trains."""
        kept = sum(spooled_bytes(job.paths) for job in self._roster.in_state(State.RENDERING))
        return kept > self._settings.spool_bytes

    def _start(self, job: JobInHand, lease: Lease, now: float) -> None:
        job.attempts += 1
        try:
            self._forget_failures(job)
            job.file.save(job.paths)
            process = self._executor.start(self._settings.launch(job.file, job.paths, lease))
        except (MultitrainError, OSError) as error:
            kind = Kind.DISK_FULL if means_full(error) else Kind.ERROR
            failure = Failure(kind, f"it cannot be started: {error}")
            self._settling.failed(job, lease, failure, now)
            self._pool.release(lease, now)
            return
        watch = StallWatch(job.file.spec.stall_minutes * 60, job.frames_done, now)
        job.trying = Try(process, lease, watch, now)
        self._roster.move(job, State.RUNNING, job.error)
        going_on = f", goes on from frame {job.checkpoint.frame}" if job.checkpoint else ""
        self._roster.tell(Happening.STARTED, job, f"started on {lease.label}{going_on}")

    def _forget_failures(self, job: JobInHand) -> None:
        """Those of the try before, which also made the render worker let go of the job."""
        job.paths.training_failure.unlink(missing_ok=True)
        if job.paths.render_failure.exists():
            job.paths.render_failure.unlink(missing_ok=True)
            self._keeper.finished(job.name)

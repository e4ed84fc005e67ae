"""What becomes of a job whose trainer has ended."""

from __future__ import annotations

from jobs.errors import ExitCode
from jobs.workspace.failures import Failure, Kind
from jobs.workspace.outputs import Extra
from jobs.workspace.states import State
from multitrain.farm.active_job import ActiveJob, Try
from multitrain.farm.disk_watch import DiskWatch
from multitrain.farm.events import Happening
from multitrain.farm.job_table import JobTable
from multitrain.farm.progress_reader import training_failure
from multitrain.slots.slots import Lease, Pool
from render.films.clearing import drop_uncovered
from render.spool.notes import note_given_up, still_to_draw

# Another try would end the same.
FINAL_FAILURES = {
    Kind.DIVERGED,
    Kind.FRAMES_LOST,
    Kind.PICTURES_CHANGED,
    Kind.CHECKPOINT_UNFIT,
    Kind.ORIGIN_UNFIT,
    Kind.RENDER,
}


class Outcomes:
    """Moves jobs on, back to the queue, or out."""

    def __init__(self, table: JobTable, pool: Pool, disk: DiskWatch) -> None:
        self._table, self._pool, self._disk = table, pool, disk

    def ended(self, job: ActiveJob, trying: Try, code: int, now: float, *, draining: bool) -> None:
        """Settle a job whose trainer's process tree is gone; `code` is that of `Process.poll`.

        OSError, with nothing changed, where the job's folder cannot be reached now.
        """
        is_trained, failure = job.is_trained, training_failure(job.paths, code)
        is_final, condemned = failure.kind in FINAL_FAILURES, trying.condemned
        self._table.end_try(job)
        if job.state is State.CANCELLED or (job.state is State.PAUSED and not is_trained):
            self._table.put_back(job)
            self._table.tell(Happening.DRAINED, job, f"stopped at frame {job.frames_done}")
        elif condemned and condemned.kind in FINAL_FAILURES:
            self._table.fail(job, condemned.reason)
        elif job.has_all_frames and (code == ExitCode.DONE or (is_trained and not is_final)):
            self._pool.proved(trying.lease)
            self._disk.took_a_write()
            self._table.move(job, State.RENDERING)
            # The worker may be faster than we are: then the film has been reported already.
            has_film = all(film.exists() for film in job.paths.films(job.file.plan))
            if not (has_film or job.paths.is_done):
                self._table.tell(Happening.TRAINED, job, "trained; the film is being finished")
        elif code == ExitCode.DRAINED or (draining and code < 0):
            self._table.put_back(job)
            self._table.tell(Happening.DRAINED, job, f"stopped at frame {job.frames_done}")
        elif not job.file.is_saved(job.paths):  # damaged: the next start writes it anew
            self._table.put_back(job, failure.reason)
            reason = f"{failure.reason}; {job.paths.job_file} has changed and is written anew"
            self._table.tell(Happening.RETRIED, job, reason)
        else:
            self.failed(job, trying.lease, condemned or failure, now)

    def failed(self, job: ActiveJob, lease: Lease, failure: Failure, now: float) -> None:
        """A try has failed, or could not be begun; `lease` is still held."""
        reason = f"{failure.reason} (log: {job.paths.log})"
        if failure.kind is Kind.DISK_FULL:
            self._disk.met_full(now)
            self._table.put_back(job, reason)
            message = f"{reason}; it goes on when there is room"
        elif failure.kind is Kind.DEVICE and self._pool.set_aside(lease, failure.reason, now):
            self._table.put_back(job, reason)
            message = f"{reason}; it goes to other slots than these"
        elif failure.kind is Kind.OUT_OF_MEMORY and self._pool.ran_out_of_memory(lease):
            self._table.put_back(job, reason)
            message = f"{reason}; from now on fewer jobs share {lease.label}"
        else:
            job.tries.failed(job.checkpoint, now)
            if failure.kind in FINAL_FAILURES or job.tries.left < 1:
                self._give_up(job, failure.kind, reason)
                return
            self._table.move(job, State.QUEUED, reason)
            message = f"{reason}; tries left: {job.tries.left}"
        self._table.tell(Happening.RETRIED, job, message)
        # The next try makes these frames again. It may have to wait for the room that they take.
        drop_uncovered(job.paths, job.file)

    def _give_up(self, job: ActiveJob, kind: Kind, reason: str) -> None:
        """The job fails; or goes on without what its network was still to draw beside the film."""
        given_up = None if kind is Kind.FRAMES_LOST else _without_drawings(job)
        if given_up is None:
            self._table.fail(job, reason)
            return
        names = " and ".join(map(str, given_up))
        instead = f"{names}: given up" if given_up else "the film is being finished"
        self._table.move(job, State.RENDERING)
        self._table.tell(Happening.RETRIED, job, f"{reason}; {instead}")


def _without_drawings(job: ActiveJob) -> list[Extra] | None:
    """What was still to be drawn beside a film that is all there, and is given up; None where the
    film is not.
    """
    try:
        if not (job.has_all_frames and job.is_covered):
            return None
        given_up = still_to_draw(job.paths, job.file)
        for each in given_up:
            note_given_up(job.paths, job.file, each)
    except OSError:
        return None  # it could not be noted that they are given up
    return given_up

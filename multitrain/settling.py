"""What becomes of a job whose trainer has ended."""

from __future__ import annotations

from jobs.errors import ExitCode
from jobs.failures import Failure, Kind
from jobs.outputs import LoopFile
from jobs.states import State
from multitrain.disk_watch import DiskWatch
from multitrain.events import Happening
from multitrain.in_hand import JobInHand, Try
from multitrain.observe import training_failure
from multitrain.roster import Roster
from multitrain.slots import Lease, Pool
from render.clearing import drop_uncovered
from render.notes import missing_walks, note_given_up

# Another try would end the same.
FINAL_FAILURES = {
    Kind.DIVERGED,
    Kind.FRAMES_LOST,
    Kind.PICTURES_CHANGED,
    Kind.CHECKPOINT_UNFIT,
    Kind.ORIGIN_UNFIT,
    Kind.RENDER,
}


class Settling:
    """Moves jobs on, back to the queue, or out."""

    def __init__(self, roster: Roster, pool: Pool, disk: DiskWatch) -> None:
        self._roster, self._pool, self._disk = roster, pool, disk

    def ended(self, job: JobInHand, trying: Try, code: int, now: float, *, draining: bool) -> None:
        """The trainer's process tree is gone; `code` as `Process.poll` tells it.

        OSError, with nothing changed, where the job's folder cannot be reached now.
        """
        is_trained, failure = job.is_trained, training_failure(job.paths, code)
        is_final = failure.kind in FINAL_FAILURES
        job.trying, condemned = None, trying.condemned
        if condemned and condemned.kind in FINAL_FAILURES:
            self._roster.fail(job, condemned.reason)
        elif job.has_all_frames and (code == ExitCode.DONE or (is_trained and not is_final)):
            self._pool.proved(trying.lease)
            self._disk.took_a_write()
            self._roster.move(job, State.RENDERING)
            if not job.paths.manifest.exists():
                self._roster.tell(Happening.TRAINED, job, "trained; the film is being finished")
        elif code == ExitCode.DRAINED or (draining and code < 0):
            self._roster.put_back(job)
            self._roster.tell(Happening.DRAINED, job, f"stopped at frame {job.frames_done}")
        else:
            self.failed(job, trying.lease, condemned or failure, now)

    def failed(self, job: JobInHand, lease: Lease, failure: Failure, now: float) -> None:
        """A try has failed, or could not be begun; `lease` is still held."""
        reason = f"{failure.reason} (log: {job.paths.log})"
        if failure.kind is Kind.DISK_FULL:
            self._disk.met_full(now)
            self._roster.put_back(job, reason)
            told = f"{reason}; it goes on when there is room"
        elif failure.kind is Kind.DEVICE and self._pool.set_aside(lease, failure.reason, now):
            self._roster.put_back(job, reason)
            told = f"{reason}; it goes to other slots than these"
        else:
            job.tries.failed(job.checkpoint, now)
            if failure.kind in FINAL_FAILURES or job.tries.left < 1:
                self._give_up(job, failure.kind, reason)
                return
            self._roster.move(job, State.QUEUED, reason)
            told = f"{reason}; tries left: {job.tries.left}"
        self._roster.tell(Happening.RETRIED, job, told)
        # The next try makes these frames again. It may have to wait for the room that they take.
        drop_uncovered(job.paths, job.file)

    def _give_up(self, job: JobInHand, kind: Kind, reason: str) -> None:
        """The job fails; or goes on without its walks, where these are all that is missing."""
        walks = None if kind is Kind.FRAMES_LOST else _without_walks(job)
        if walks is None:
            self._roster.fail(job, reason)
            return
        instead = "its walks are given up" if walks else "the film is being finished"
        self._roster.move(job, State.RENDERING)
        self._roster.tell(Happening.RETRIED, job, f"{reason}; {instead}")


def _without_walks(job: JobInHand) -> list[LoopFile] | None:
    """The walks of a film that is all there, which are given up; None where it is not."""
    try:
        if not (job.has_all_frames and job.is_covered):
            return None
        walks = missing_walks(job.paths, job.file)
        for walk in walks:
            note_given_up(job.paths, job.file, walk)
    except OSError:
        return None  # nobody would know that they are not waited for
    return walks

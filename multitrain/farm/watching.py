"""The trainers at work: how far they are, what was published, which of them hang."""

from __future__ import annotations

from jobs.workspace.failures import Failure, Kind
from jobs.workspace.paths import Workspace
from jobs.workspace.states import State
from multitrain.farm.active_job import ActiveJob, Try
from multitrain.farm.disk_watch import DiskWatch
from multitrain.farm.events import Happening
from multitrain.farm.job_table import JobTable
from multitrain.farm.launching import TrainerSettings
from multitrain.farm.progress_reader import NewOutputs, last_progress
from multitrain.farm.render_keeper import RenderKeeper
from multitrain.farm.shortfalls import Shortfalls
from multitrain.slots.slots import Pool
from render.spool.room import Room

STACK_SECONDS = 2.0  # for a stuck trainer to write where it is
LINGER_SECONDS = 30.0  # after which a trainer that was killed and is still there is reported


class Watching:
    """Looks into the folders of the jobs at work, and ends trainers that get no further."""

    def __init__(
        self,
        workspace: Workspace,
        table: JobTable,
        pool: Pool,
        disk: DiskWatch,
        keeper: RenderKeeper,
        settings: TrainerSettings,
        shortfalls: Shortfalls,
    ) -> None:
        self._table, self._pool, self._disk = table, pool, disk
        self._keeper, self._settings, self._shortfalls = keeper, settings, shortfalls
        self._new_outputs = NewOutputs(workspace)

    def look(self, now: float) -> None:
        """Read how far the trainers are and what the render worker has published."""
        for job, trying in self._table.at_work():
            self.read_progress(job, trying, now)
            used = self._pool.memory_used(trying.lease, trying.process.pid)
            trying.memory = max(trying.memory, used)
        active = self._table.in_state(State.RUNNING, State.RENDERING)
        for name, path in self._new_outputs.look([(job.paths, job.file) for job in active]):
            if active_job := self._table.get(name):
                self._keeper.progresses()
                self._table.tell(Happening.PUBLISHED, active_job, f"published {path}")
                self._shortfalls.look(active_job)

    def read_progress(self, job: ActiveJob, trying: Try, now: float) -> None:
        """Take what the trainer has reported since the last look."""
        progress = last_progress(job.paths.progress) or trying.progress
        if progress is None:
            return
        if progress.frame != job.frames_done and self._table.made(job, progress.frame):
            self._disk.took_a_write()
        job.steps_done = progress.step
        trying.watch.saw(progress.step + progress.walked, now)
        trying.saw(progress, now)

    def excuse_all(self, seconds: float) -> None:
        """Do not count `seconds` in which the machine or this process was stopped."""
        for _, trying in self._table.at_work():
            trying.watch.slept(seconds)

    def end_the_stuck(self, now: float) -> None:
        """End trainers that get no further, or cannot on the slots that they have."""
        for job, trying in self._table.at_work():
            lingers = now > trying.ends_at + LINGER_SECONDS
            trouble = f"its trainer cannot be ended and keeps {job.slot}" if lingers else ""
            self._table.tell_trouble(job.name, trouble, "its trainer has ended")
            if now >= trying.ends_at:
                trying.process.kill()
            elif trying.condemned:
                continue
            elif fault := self._pool.fault(trying.lease, now):
                trying.condemn(Failure(Kind.DEVICE, fault), ends_at=now)
            elif trying.watch.is_slow(now) and (reason := self._what_holds_up(job)):
                trying.watch.excuse(now)
                self._table.tell(Happening.HELD_UP, job, f"waits: {reason}")
            elif trying.watch.is_stuck(now):
                reason = f"{trying.watch.complaint}; it was ended (stall_minutes)"
                trying.process.dump_stack()
                trying.condemn(Failure(Kind.STALLED, reason), ends_at=now + STACK_SECONDS)

    def _what_holds_up(self, job: ActiveJob) -> str | None:
        """Why a trainer cannot make frames now: the disk, or the render worker."""
        covered = job.checkpoint.frame if job.checkpoint else 0
        takable = covered if job.file.spec.use_checkpoints else job.frames_done
        room = Room(job.paths, self._settings.spool_bytes, self._settings.keep_free_bytes)
        plan = job.file.plan
        step = plan.frame_bytes * plan.timing.frames_per_step
        return self._disk.shortage or room.shortage(takable, coming=step, waiting=True)

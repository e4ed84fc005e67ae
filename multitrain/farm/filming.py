"""Jobs and the render worker: kept rendering, settled when their film is there or cannot be."""

from __future__ import annotations

from contextlib import suppress

from jobs.errors import MultitrainError
from jobs.settings.lengths import minutes_told
from jobs.sheets.sizes import extra_bytes
from jobs.workspace.disk import free_bytes
from jobs.workspace.failures import Failure, Kind
from jobs.workspace.outputs import extras
from jobs.workspace.paths import JobPaths, Workspace
from jobs.workspace.states import State
from multitrain.farm.active_job import ActiveJob
from multitrain.farm.events import Happening
from multitrain.farm.job_table import JobTable
from multitrain.farm.render_keeper import RenderKeeper
from multitrain.farm.shortfalls import Shortfalls
from multitrain.farm.stalls_and_retries import IdleWatch
from multitrain.farm.unsent import unsent_files
from render.films.clearing import clear_up
from render.films.losses import standstill
from render.spool.notes import is_over


class Filming:
    """What becomes of frames, as the farm sees it."""

    def __init__(
        self, workspace: Workspace, table: JobTable, keeper: RenderKeeper, shortfalls: Shortfalls
    ) -> None:
        self._workspace, self._table = workspace, table
        self._keeper, self._shortfalls = keeper, shortfalls
        self._idle: dict[str, IdleWatch] = {}  # by the names of jobs that are rendered
        self.sends_late = self._take_unsent()  # whether a worker is needed only to send files

    def _take_unsent(self) -> bool:
        """Have the worker send what earlier runs could not, of jobs that are done."""
        done = self._table.in_state(State.DONE)
        late = [job for job in done if unsent_files(job.paths, job.file)]
        for job in late:
            with suppress(OSError):  # where that fails, files go to the destination saved before
                job.file.save(job.paths)
            self._keeper.take(job.name)
        return bool(late)

    def settle(self, now: float) -> None:
        """Move on the jobs whose film is there, fail those whose film cannot be."""
        for job in self._table.in_state(State.RUNNING, State.RENDERING):
            if job.paths.run.is_dir() and not job.paths.job_file.exists():
                job.file.save(job.paths)  # somebody removed it: without it, no job counts as done
            if job.state is State.RENDERING and job.paths.is_done:
                self._finish(job)
            elif failure := Failure.load(job.paths.render_failure):
                if not job.file.is_saved(job.paths):
                    self._take_again(job)
                    continue
                self._abandon(job, f"{failure.reason} (log: {self._workspace.render_log})", now)
            elif job.state is State.RENDERING:
                self._fail_if_idle(job, now)

    def _take_again(self, job: ActiveJob) -> None:
        """The worker gave up a job whose `job.yaml` was damaged, which is written anew."""
        job.file.save(job.paths)
        job.paths.render_failure.unlink(missing_ok=True)
        self._keeper.finished(job.name)
        self._table.tell(
            Happening.RETRIED, job, f"{job.paths.job_file} was damaged; it is written anew"
        )

    def _fail_if_idle(self, job: ActiveJob, now: float) -> None:
        """A job whose trainer has ended always has something due; else it would wait for ever."""
        minutes = job.file.spec.stall_minutes
        watch = self._idle.setdefault(job.name, IdleWatch(minutes * 60))
        if not watch.may_look(now):
            return
        try:
            waits_for = standstill(job.paths, job.file)
        except OSError:  # it cannot be reached now
            waits_for = None
        watch.saw(waits_for is not None, now)
        if waits_for and watch.is_stuck(now):
            message = (
                f"nothing to render for {minutes_told(minutes)} (stall_minutes), though {waits_for}"
            )
            self._abandon(job, f"{message}; start over with --fresh {job.name}", now)

    def short_of_room(self, keep_free: int) -> dict[str, str]:
        """Jobs whose exports or loops wait for the disk, and why.

        OSError where the workspace cannot be reached.
        """
        jobs = self._table.in_state(State.RENDERING) if keep_free else []
        free = free_bytes(self._workspace.root) - keep_free if jobs else 0
        reasons = {}
        for job in jobs:
            for extra in extras(job.file.spec, job.file.plan):
                if extra_bytes(extra, job.file) > free and not is_over(job.paths, job.file, extra):
                    reasons[job.name] = f"its {extra} waits for room on the disk"
        return reasons

    def go_on(self, now: float) -> None:
        """Have a worker for the jobs that make frames or have made them."""
        rendered = [
            job
            for job in self._table.in_state(State.RUNNING, State.RENDERING)
            if not (job.trying and job.trying.condemned)
        ]
        for job in rendered:
            self._keeper.take(job.name)
        try:
            self._keeper.keep_alive(now)
        except MultitrainError as error:
            for job in rendered:
                self._abandon(job, str(error), now)

    def end(self, now: float, *, draining: bool) -> None:
        """No job needs the worker any more. Where all were done before this run, it sends files."""
        if self.sends_late and not draining:
            with suppress(MultitrainError):  # the next run sends it
                self._keeper.keep_alive(now)
        self.sends_late = False
        self._keeper.drain(now)

    def _finish(self, job: ActiveJob) -> None:
        self._keeper.finished(job.name)
        self._idle.pop(job.name, None)
        with suppress(OSError):  # the worker does so, unless it was killed just then
            if not _is_clear(job.paths):
                clear_up(job.paths, wait=False)
        self._shortfalls.look(job)
        missing = self._shortfalls.not_made(job)
        self._table.move(job, State.DONE, missing)
        self._table.tell(Happening.DONE, job, f"done, but {missing}" if missing else "done")

    def _abandon(self, job: ActiveJob, reason: str, now: float) -> None:
        """Fail a job that cannot be rendered; one that still trains, when its trainer is gone."""
        self._keeper.finished(job.name)
        self._idle.pop(job.name, None)
        if job.trying:
            job.trying.condemn(Failure(Kind.RENDER, reason), ends_at=now)
        else:
            self._table.fail(job, reason)


def _is_clear(paths: JobPaths) -> bool:
    """Whether there is nothing to clear up. Takes no lock, which is a file of its own."""
    temporary = (paths.spool, paths.segments, paths.made_folder, paths.beginning)
    left = any(path.exists() for path in temporary)
    return not left and len(paths.checkpoint_names()) <= 1

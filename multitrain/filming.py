"""Jobs and the render worker: kept rendering, settled when their film is there or cannot be."""

from __future__ import annotations

from contextlib import suppress

from jobs.disk import free_bytes
from jobs.errors import MultitrainError
from jobs.failures import Failure, Kind
from jobs.outputs import extras
from jobs.paths import JobPaths, Workspace
from jobs.sizes import extra_bytes
from jobs.states import State
from multitrain.deliveries import unsent_files
from multitrain.events import Happening
from multitrain.in_hand import JobInHand
from multitrain.render_keeper import RenderKeeper
from multitrain.roster import Roster
from multitrain.shortfalls import Shortfalls
from render.clearing import clear_up
from render.notes import is_over


class Filming:
    """What becomes of frames, as the farm sees it."""

    def __init__(
        self, workspace: Workspace, roster: Roster, keeper: RenderKeeper, shortfalls: Shortfalls
    ) -> None:
        self._workspace, self._roster = workspace, roster
        self._keeper, self._shortfalls = keeper, shortfalls
        self.sends_late = self._take_unsent()  # a worker is wanted, though nothing is to be made

    def _take_unsent(self) -> bool:
        """Have the worker send what earlier runs could not, of jobs that are done."""
        done = self._roster.in_state(State.DONE)
        late = [job for job in done if unsent_files(job.paths, job.file)]
        for job in late:
            with suppress(OSError):  # else it goes to where it was to go before
                job.file.save(job.paths)
            self._keeper.take(job.name)
        return bool(late)

    def settle(self, now: float) -> None:
        """Move on the jobs whose film is there, fail those whose film cannot be."""
        for job in self._roster.in_state(State.RUNNING, State.RENDERING):
            if job.state is State.RENDERING and job.paths.manifest.exists():
                self._finish(job)
            elif failure := Failure.load(job.paths.render_failure):
                self._abandon(job, f"{failure.reason} (log: {self._workspace.render_log})", now)

    def short_of_room(self, keep_free: int) -> dict[str, str]:
        """Jobs whose exports or loops wait for the disk, and why.

        OSError where the workspace cannot be reached.
        """
        jobs = self._roster.in_state(State.RENDERING) if keep_free else []
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
            for job in self._roster.in_state(State.RUNNING, State.RENDERING)
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
        """No job needs the worker any more. Where all were done before, one sends what is left."""
        if self.sends_late and not draining:
            with suppress(MultitrainError):  # the next run sends it
                self._keeper.keep_alive(now)
        self.sends_late = False
        self._keeper.drain(now)

    def _finish(self, job: JobInHand) -> None:
        self._keeper.finished(job.name)
        with suppress(OSError):  # the worker does so, unless it was killed just then
            if not _is_clear(job.paths):
                clear_up(job.paths, wait=False)
        self._shortfalls.look(job)
        missing = self._shortfalls.not_made(job)
        self._roster.move(job, State.DONE, missing)
        self._roster.tell(Happening.DONE, job, f"done, but {missing}" if missing else "done")

    def _abandon(self, job: JobInHand, reason: str, now: float) -> None:
        """Fail a job that cannot be rendered; one that still trains, when its trainer is gone."""
        self._keeper.finished(job.name)
        if job.trying:
            job.trying.condemn(Failure(Kind.RENDER, reason), ends_at=now)
        else:
            self._roster.fail(job, reason)


def _is_clear(paths: JobPaths) -> bool:
    """Whether there is nothing to clear up. Takes no lock, which is a file of its own."""
    temporary = (paths.spool, paths.segments, paths.made_folder, paths.beginning)
    left = any(path.exists() for path in temporary)
    return not left and len(paths.checkpoint_names()) <= 1

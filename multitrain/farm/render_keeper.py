"""The farm's side of the render worker: one process for all jobs, kept alive.

All times are seconds of a clock that only goes forward.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress

from jobs.errors import MultitrainError
from jobs.workspace import locks
from jobs.workspace.disk import means_full
from jobs.workspace.paths import Workspace
from multitrain.executors import Executor, Launch, Process
from multitrain.farm.stalls_and_retries import ASLEEP_SECONDS
from multitrain.startup.safe_path import python_command

RESTARTS = 5  # in a row with nothing published, before rendering is given up
RESTART_SECONDS = 5.0  # pause before a restart, so that a broken one does not spin
SOUND_SECONDS = 600.0  # a worker that lived so long is not a broken one
HANG_SECONDS = 600.0  # without a heartbeat, which comes every few seconds


class RenderKeeper:
    """Starts the worker when there is something to render, and again whenever it dies or hangs."""

    def __init__(
        self,
        workspace: Workspace,
        executor: Executor,
        encoders: int,
        descriptors: Sequence[int] = (),
        environment: Mapping[str, str] | None = None,
        command: Sequence[str] = python_command("render.worker.worker"),
        keep_free: int = 0,
    ) -> None:
        """`environment` says which GPUs encoders may use; None: any.

        `keep_free`: bytes that exports and loops are to leave on the disk.
        """
        numbers = ("--encoders", str(encoders), "--keep-free-bytes", str(keep_free))
        arguments = (str(workspace.root), *numbers)
        self._launch = Launch(
            command=(*command, *arguments),
            log=workspace.render_log,
            environment=environment or {},
            descriptors=tuple(descriptors),
            listens=True,
        )
        self._executor = executor
        self._heartbeat = workspace.render_heartbeat
        self._beat: int | None = None  # the file's time at the last look; None: no file
        self._looked_at = self._started_at = self._alive_at = float("-inf")
        self._hangs = False
        self._is_hushed = False  # it ends when its work is done
        self._is_dismissed = False  # it was ended, and none is to come before `recall`
        self._told: set[str] = set()  # the jobs that this worker has heard of
        self._process: Process | None = None
        self._jobs: dict[str, None] = {}  # in the order they came
        self._deaths = 0
        self._not_before = float("-inf")

    @property
    def idle(self) -> bool:
        """Whether no worker is there."""
        return self._process is None

    def take(self, job: str) -> None:
        """Have this job rendered, also by a worker that is started later."""
        if job not in self._jobs:
            self._jobs[job] = None
            if self._process and not self._is_hushed:
                self._tell(self._process, job)

    def _tell(self, process: Process, job: str) -> None:
        self._told.add(job)
        process.say(job)

    def has_in_hand(self, job: str) -> bool:
        """Whether a worker may be at work on this job."""
        return self._process is not None and job in self._told

    def let_go(self, job: str) -> None:
        """Have nothing more made of this job; a worker that has it in hand is replaced."""
        self.finished(job)
        if self._process and job in self._told:
            self._is_hushed = True  # its end is no failure
            self._process.kill()

    def dismiss(self) -> bool:
        """End the worker, so that jobs' files may be moved; whether it has ended.

        Until `recall`, none is started.
        """
        if self._process and not self._is_dismissed:
            self._process.kill()
        self._is_dismissed = True
        if self._process and self._process.poll() is not None:
            self._process = None
        return self._process is None

    def recall(self) -> None:
        """A worker may be started again."""
        self._is_dismissed = False

    def finished(self, job: str) -> None:
        """This job needs no rendering any more."""
        self._jobs.pop(job, None)

    def progresses(self) -> None:
        """Something was published: the worker does not die of its work."""
        self._deaths = 0

    def keep_alive(self, now: float) -> None:
        """Start or restart the worker where there are jobs for it.

        MultitrainError when it has died again and again: nothing can be rendered here.
        """
        if self._is_dismissed:
            return
        self._end_if_it_hangs(now)
        if self._process and (code := self._process.poll()) is not None:
            self._process = None
            if self._alive_at - self._started_at >= SOUND_SECONDS:
                self._deaths = 0
            hung = f"because it hung for {HANG_SECONDS / 60:g} minutes"
            how = hung if self._hangs else f"with code {code}"
            if self._hangs or not self._is_hushed:
                self._count_death(now, f"{how}; its log: {self._launch.log}")
        if self._jobs and self._process is None and now >= self._not_before:
            self._start(now)

    def _start(self, now: float) -> None:
        try:
            self._process = self._executor.start(self._launch)
        except MultitrainError as error:
            if means_full(error):  # not the worker's fault: try again later
                self._not_before = now + RESTART_SECONDS
            else:
                self._count_death(now, f"before it began: {error}")
            return
        self._hangs = self._is_hushed = False
        self._beat = self._look_at_heart()
        self._looked_at = self._started_at = self._alive_at = now
        self._told = set()
        for job in self._jobs:
            self._tell(self._process, job)

    def _end_if_it_hangs(self, now: float) -> None:
        """Kill a worker that has shown no sign of life for long."""
        if self._process is None or self._hangs:
            return
        before, self._beat = self._beat, self._look_at_heart()
        gap, self._looked_at = now - self._looked_at, now
        if gap > ASLEEP_SECONDS:
            self._alive_at += gap
        if self._beat is None or self._beat != before:
            self._alive_at = now
        elif now - self._alive_at >= HANG_SECONDS:
            self._hangs = True
            self._process.kill()

    def _look_at_heart(self) -> int | None:
        """When the worker last touched its file, by whatever clock: only changes matter.

        None where there is no file, which is then made: a worker on a full disk could not.
        """
        try:
            return self._heartbeat.stat().st_mtime_ns
        except OSError:
            with suppress(OSError):
                os.close(locks.open_file(self._heartbeat))
            return None

    def _count_death(self, now: float, how: str) -> None:
        self._deaths += 1
        self._not_before = now + RESTART_SECONDS * (self._deaths - 1)
        if self._deaths > RESTARTS:
            self._deaths = 0
            raise MultitrainError(
                f"the render worker ended {RESTARTS + 1} times, the last time {how}"
            )

    def drain(self, now: float) -> None:
        """Give the worker nothing new; the keeper is idle once its encoders have finished.

        Jobs that come later get another one.
        """
        if self._process is None:
            return
        self._process.hush()
        self._is_hushed = True
        self._end_if_it_hangs(now)
        if self._process.poll() is not None:
            self._process = None

    def kill(self) -> None:
        if self._process:
            self._process.kill()

"""The farm's side of the render worker: one process for all jobs, kept alive."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jobs.disk import means_full
from jobs.errors import MultitrainError
from jobs.paths import Workspace
from multitrain.executors import Executor, Launch, Process

RESTARTS = 5  # in a row with nothing published, before rendering is given up
RESTART_SECONDS = 5.0  # pause before a restart, so that a broken one does not spin


class RenderKeeper:
    """Starts the worker when there is something to render, and again whenever it dies."""

    def __init__(
        self,
        workspace: Workspace,
        executor: Executor,
        encoders: int,
        descriptors: Sequence[int] = (),
        command: Sequence[str] = (sys.executable, "-m", "render.worker"),
    ) -> None:
        arguments = (str(workspace.root), "--encoders", str(encoders))
        self._launch = Launch(
            command=(*command, *arguments),
            log=workspace.render_log,
            descriptors=tuple(descriptors),
            listens=True,
        )
        self._executor = executor
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
            if self._process:
                self._process.say(job)

    def finished(self, job: str) -> None:
        """This job needs no rendering any more."""
        self._jobs.pop(job, None)

    def progresses(self) -> None:
        """Something was published: the worker does not die of its work."""
        self._deaths = 0

    def keep_alive(self, now: float) -> None:
        """Start or restart the worker where there are jobs for it; `now` in unix seconds.

        MultitrainError when it has died again and again: nothing can be rendered here.
        """
        if self._process and (code := self._process.poll()) is not None:
            self._process = None
            self._count_death(now, f"with code {code}; its log: {self._launch.log}")
        if self._jobs and self._process is None and now >= self._not_before:
            self._start(now)

    def _start(self, now: float) -> None:
        try:
            self._process = self._executor.start(self._launch)
        except MultitrainError as error:
            if means_full(error):  # nobody's fault: again later
                self._not_before = now + RESTART_SECONDS
            else:
                self._count_death(now, f"before it began: {error}")
            return
        for job in self._jobs:
            self._process.say(job)

    def _count_death(self, now: float, how: str) -> None:
        self._deaths += 1
        self._not_before = now + RESTART_SECONDS * (self._deaths - 1)
        if self._deaths > RESTARTS:
            self._deaths = 0
            raise MultitrainError(
                f"the render worker ended {RESTARTS + 1} times, the last time {how}"
            )

    def drain(self) -> None:
        """Nothing new; the encoders in hand are finished, then the keeper is idle."""
        if self._process is None:
            return
        self._process.hush()
        if self._process.poll() is not None:
            self._process = None

    def kill(self) -> None:
        if self._process:
            self._process.kill()

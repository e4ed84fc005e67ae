"""Has the pictures of the next jobs decoded into the cache while others train."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from jobs.errors import MultitrainError
from jobs.workspace.paths import Workspace
from multitrain.executors import Executor, Launch, Process
from multitrain.farm.active_job import ActiveJob
from multitrain.farm.ahead.ending import Ending
from multitrain.farm.ahead.preparation import Prospect
from multitrain.farm.launching import TrainerSettings
from multitrain.startup.safe_path import python_command

JOBS = 4  # of the queue: pictures decoded too early may have left the cache when they are needed

Key = tuple[object, ...]  # which pictures: those of `JobFile.decodings`


class PicturesAhead:
    """A `Preparation`: one process at a time, once for each data set."""

    def __init__(
        self,
        workspace: Workspace,
        executor: Executor,
        settings: TrainerSettings,
        command: Sequence[str] = python_command("multitrain.datasets.cached.ahead"),
    ) -> None:
        self._executor = executor
        self._command = (*command, str(workspace.root))
        self._lifeline = settings.lifeline
        floor, lifeline = str(settings.keep_free_bytes), str(settings.lifeline)
        self._options = ("--keep-free-bytes", floor, "--lifeline", lifeline)
        self._process: Process | None = None
        self._ending = Ending()
        self._seen: set[Key] = set()  # decoded by now, or tried

    def prepare(self, prospect: Prospect, now: float) -> None:  # noqa: ARG002
        self._seen.update(map(_key, prospect.running))
        if self._process and self._process.poll() is not None:
            self._process = None
        if prospect.running and prospect.is_calm and not self._process:
            self._start(_first_of_each(islice(prospect.queued, JOBS), self._seen))

    def _start(self, jobs: Sequence[ActiveJob]) -> None:
        if not jobs:
            return
        self._seen.update(map(_key, jobs))
        names = [job.name for job in jobs]
        try:
            for job in jobs:
                job.file.save(job.paths)  # the process reads there which pictures to decode
            command = (*self._command, *names, *self._options)
            self._process = self._executor.start(
                Launch(command, log=Path(os.devnull), descriptors=(self._lifeline,))
            )
        except (MultitrainError, OSError):
            return  # their trainers will report it

    def end(self, now: float) -> None:
        if self._process:
            self._process.kill()
            self._ending.add(self._process, now)
            self._process = None

    def is_idle(self, now: float) -> bool:
        return self._process is None and self._ending.is_over(now)


def _key(job: ActiveJob) -> Key:
    return tuple(job.file.decodings.values())


def _first_of_each(jobs: Iterable[ActiveJob], seen: set[Key]) -> list[ActiveJob]:
    """One job for each data set that is new."""
    new: dict[Key, ActiveJob] = {}
    for job in jobs:
        if _key(job) not in seen:
            new.setdefault(_key(job), job)
    return list(new.values())

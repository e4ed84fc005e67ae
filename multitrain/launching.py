"""How the farm starts a trainer: its command line, what it sees and what it inherits."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from jobs.jobfile import JobFile
from jobs.paths import JobPaths
from multitrain.executors import Launch
from multitrain.slots import Lease

UNBUFFERED = {"PYTHONUNBUFFERED": "1"}
CORES = "--cores"
WITHOUT_FRAMEWORK = {"testcard"}  # families that need none


@dataclass(frozen=True)
class TrainerSettings:
    """What every trainer of a farm is started with."""

    spool_bytes: int  # budget of one job's raw frames and checkpoints
    keep_free_bytes: int  # of the disk: below, trainers wait
    lifeline: int  # read end of a pipe that the farm holds open as long as it lives
    descriptors: tuple[int, ...] = ()  # locks that outlive the farm as long as a trainer runs
    deterministic: bool = False
    command: tuple[str, ...] = (sys.executable, "-m", "multitrain.trainer")

    def launch(self, job: JobFile, paths: JobPaths, lease: Lease) -> Launch:
        """A trainer for this job on these slots, and on no others."""
        arguments = [str(paths.workspace.root), paths.name]
        arguments += ["--spool-bytes", str(self.spool_bytes)]
        arguments += ["--keep-free-bytes", str(self.keep_free_bytes)]
        # How long it may take to end where the farm does not live to see to that.
        arguments += ["--stall-seconds", str(job.spec.stall_minutes * 60)]
        arguments += ["--lifeline", str(self.lifeline)]
        if lease.cores:
            arguments += [CORES, ",".join(map(str, lease.cores))]
        if self.deterministic:
            arguments.append("--deterministic")
        return Launch(
            command=(*self.command, *arguments),
            log=paths.log,
            environment={**UNBUFFERED, **imports_of(job), **lease.environment},
            descriptors=(self.lifeline, *self.descriptors, *lease.descriptors),
        )


def differ_in_cores_only(arguments: Sequence[str], others: Sequence[str]) -> bool:
    """Whether two calls of a trainer ask for the same, on as many cores."""
    return _with_core_counts(arguments) == _with_core_counts(others)


def _with_core_counts(arguments: Sequence[str]) -> list[str | int]:
    before = ["", *arguments]
    return [
        len(each.split(",")) if option == CORES else each
        for option, each in zip(before, arguments, strict=False)
    ]


def imports_of(job: JobFile) -> dict[str, str]:
    """The environment that says which framework a trainer of this job imports; empty: none."""
    if job.spec.family in WITHOUT_FRAMEWORK:
        return {}
    return {"KERAS_BACKEND": job.spec.engine}


def open_lifeline() -> int:
    """The read end of a pipe whose write end stays open, unseen, as long as this process lives."""
    read_end, _ = os.pipe()
    return read_end

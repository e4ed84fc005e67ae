"""How the farm starts a trainer: its command line, what it sees and what it inherits."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from jobs.paths import JobPaths
from multitrain.executors import Launch
from multitrain.slots import Lease


@dataclass(frozen=True)
class TrainerSettings:
    """What every trainer of a farm is started with."""

    spool_bytes: int  # budget of one job's raw frames and checkpoints
    keep_free_bytes: int  # of the disk: below, trainers wait
    lifeline: int  # read end of a pipe that the farm holds open as long as it lives
    descriptors: tuple[int, ...] = ()  # locks that outlive the farm as long as a trainer runs
    deterministic: bool = False
    command: tuple[str, ...] = (sys.executable, "-m", "multitrain.trainer")

    def launch(self, paths: JobPaths, lease: Lease, stall_seconds: float) -> Launch:
        """A trainer for this job on these slots, and on no others.

        `stall_seconds` is how long it may take to end where the farm does not live to see to that.
        """
        arguments = [str(paths.workspace.root), paths.name]
        arguments += ["--spool-bytes", str(self.spool_bytes)]
        arguments += ["--keep-free-bytes", str(self.keep_free_bytes)]
        arguments += ["--stall-seconds", str(stall_seconds)]
        arguments += ["--lifeline", str(self.lifeline)]
        if lease.cores:
            arguments += ["--cores", ",".join(map(str, lease.cores))]
        if self.deterministic:
            arguments.append("--deterministic")
        return Launch(
            command=(*self.command, *arguments),
            log=paths.log,
            environment={"PYTHONUNBUFFERED": "1", **lease.environment},
            descriptors=(self.lifeline, *self.descriptors, *lease.descriptors),
        )


def open_lifeline() -> int:
    """The read end of a pipe whose write end stays open, unseen, as long as this process lives."""
    read_end, _ = os.pipe()
    return read_end

"""How the farm starts a trainer: its command line, what it sees and what it inherits."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Protocol

from jobs.families.table import family_of
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths
from multitrain.executors import Launch, Process
from multitrain.protocol.call import PROGRAM, Call
from multitrain.slots.slots import Lease
from multitrain.startup.safe_path import python_command


@dataclass(frozen=True, kw_only=True)
class TrainerLaunch(Launch):
    """A trainer to start: `command` is the program, and the call as its arguments."""

    program: tuple[str, ...]
    call: Call


class TrainerExecutor(Protocol):
    """Starts trainers: any `Executor`, or a `SpareKeeper`, which may have one waiting."""

    def start(self, launch: TrainerLaunch) -> Process:
        """Start a trainer, as an `Executor` does."""


@dataclass(frozen=True)
class TrainerSettings:
    """What every trainer of a farm is started with."""

    spool_bytes: int  # budget of one job's raw frames and checkpoints
    keep_free_bytes: int  # of the disk: below, trainers wait
    lifeline: int  # read end of a pipe that the farm holds open as long as it lives
    descriptors: tuple[int, ...] = ()  # locks that outlive the farm as long as a trainer runs
    deterministic: bool = False
    program: tuple[str, ...] = python_command(PROGRAM)

    def launch(self, job: JobFile, paths: JobPaths, lease: Lease) -> TrainerLaunch:
        """A trainer for this job on these slots, and on no others."""
        call = Call(
            workspace=paths.workspace.root,
            job=paths.name,
            cores=lease.cores,
            spool_bytes=self.spool_bytes,
            keep_free_bytes=self.keep_free_bytes,
            lifeline=self.lifeline,
            # How long the trainer may take to end once the farm is gone.
            stall_seconds=job.spec.stall_minutes * 60,
            deterministic=self.deterministic,
        )
        return TrainerLaunch(
            program=self.program,
            call=call,
            command=(*self.program, *call.arguments()),
            log=paths.log,
            environment={**imports_of(job), **lease.environment},
            descriptors=(self.lifeline, *self.descriptors, *lease.descriptors),
        )


def imports_of(job: JobFile) -> dict[str, str]:
    """The environment that says which framework a trainer of this job imports; empty: none."""
    if not family_of(job.spec).trains:
        return {}
    return {"KERAS_BACKEND": job.spec.engine}


def open_lifeline() -> int:
    """The read end of a pipe whose write end stays open as long as this process lives."""
    read_end, _ = os.pipe()
    return read_end

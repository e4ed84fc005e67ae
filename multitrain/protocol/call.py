"""What the farm asks a trainer for: the trainer's command line, written and read."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jobs.workspace.paths import JobPaths, Workspace

PROGRAM = "multitrain.trainer.process"


@dataclass(frozen=True)
class Call:
    """One training, and the conditions that it runs under."""

    workspace: Path  # its folder
    job: str  # its name
    cores: tuple[int, ...] = ()  # to run on; empty: all
    spool_bytes: int | None = None  # with more in spool and checkpoints, it waits
    keep_free_bytes: int = 0  # with less free on the disk, it waits
    lifeline: int | None = None  # descriptor of a pipe; when that ends, the farm has ended
    stall_seconds: float | None = None  # how long it may then take to drain
    deterministic: bool = False

    @property
    def paths(self) -> JobPaths:
        return Workspace(self.workspace).job(self.job)

    def arguments(self) -> tuple[str, ...]:
        """The command line behind the program; `parse` reads it."""
        arguments = [str(self.workspace), self.job]
        for option, value in (
            ("--cores", ",".join(map(str, self.cores)) or None),
            ("--spool-bytes", self.spool_bytes),
            ("--keep-free-bytes", self.keep_free_bytes),
            ("--lifeline", self.lifeline),
            ("--stall-seconds", self.stall_seconds),
        ):
            if value is not None:
                arguments += [option, str(value)]
        if self.deterministic:
            arguments.append("--deterministic")
        return tuple(arguments)

    @classmethod
    def parse(cls, arguments: Sequence[str], description: str | None = None) -> Call:
        """The call of a command line behind the program; exits with code 2 where it is wrong."""
        given = _parser(description).parse_args(arguments)
        return cls(**vars(given))

    def differs_in_cores_only(self, other: Call) -> bool:
        """Whether both ask for the same, on as many cores."""
        return replace(self, cores=()) == replace(other, cores=()) and (
            len(self.cores) == len(other.cores)
        )


def _parser(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m {PROGRAM}", description=description)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("job", help="name of a job in the workspace's runs/")
    parser.add_argument("--cores", type=_numbers, default=(), help="CPU cores to run on: 0,1")
    parser.add_argument(
        "--spool-bytes", type=int, help="wait while spool and checkpoints hold more than this"
    )
    parser.add_argument(
        "--keep-free-bytes", type=int, default=0, help="wait while the disk has less than this free"
    )
    parser.add_argument("--lifeline", type=int, help="descriptor of a pipe; its end is a drain")
    parser.add_argument(
        "--stall-seconds", type=float, help="how long that drain may take before the process ends"
    )
    parser.add_argument("--deterministic", action="store_true", help="same bits at every run")
    return parser


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))

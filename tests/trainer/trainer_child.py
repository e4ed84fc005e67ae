"""The trainer as the farm starts it: a child process whose log is read line by line."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from jobs.workspace.paths import JobPaths

SECONDS = 120  # until a child counts as stuck
MODULE = ("-m", "multitrain.trainer.process")


class TrainerChild:
    """Trains the job of `paths` on the CPU."""

    def __init__(
        self, paths: JobPaths, *options: str, program: tuple[str, ...] = MODULE, **popen: object
    ) -> None:
        """`program` is what Python runs: a test may give a trainer with a fault built in."""
        command = [sys.executable, *program, str(paths.workspace.root), paths.name, *options]
        self.child = subprocess.Popen(
            command,
            text=True,
            env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1"},
            **{"stderr": subprocess.PIPE, **popen},
        )
        self.log = ""

    def wait_for(self, words: str) -> None:
        assert self.child.stderr
        for line in self.child.stderr:
            self.log += line
            if words in line:
                return
        pytest.fail(f"the trainer never said {words!r}:\n{self.log}")

    def end(self) -> int:
        """The exit code, once it has ended."""
        _, rest = self.child.communicate(timeout=SECONDS)
        self.log += rest or ""
        return self.child.returncode

    def close(self) -> None:
        self.child.kill()
        self.child.communicate()

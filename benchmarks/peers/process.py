"""A contender's process, from outside."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from benchmarks.peers.answering import READY
from jobs.errors import MultitrainError

END_SECONDS = 10.0
CODE = Path(__file__).resolve().parents[2]
LAST_WORDS = 2000  # characters


class Peer:
    """`python -m benchmarks.peers.MODULE ARGUMENTS`; called with an amount, it takes a turn."""

    def __init__(
        self, module: str, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> None:
        """Starts it; `wait_until_ready` may come later, after others were started."""
        self._command = [sys.executable, "-m", f"benchmarks.peers.{module}", *arguments]
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed by __exit__)
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            bufsize=1,
            cwd=CODE,
            env={**os.environ, **(environment or {})},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends it, politely at first."""
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe
            pipe.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until_ready(self) -> None:
        """MultitrainError, with what it said last, where it cannot run."""
        while self._line() != READY:
            pass

    def __call__(self, amount: int) -> float:
        """Seconds that so many units took."""
        assert self._process.stdin
        self._process.stdin.write(f"{amount}\n")
        return float(self._line())

    def _line(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._said.seek(0)
            words = self._said.read()[-LAST_WORDS:].strip()
            raise MultitrainError(f"{' '.join(self._command[2:])[:200]} ended: {words}")
        return line.strip()

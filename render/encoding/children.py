"""Runs programs that end when this process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO

CAN_BE_TIED = hasattr(fcntl, "F_SETSIG")  # on Linux


@contextmanager
def running(
    command: Sequence[str], output: IO[bytes], stdin: int = subprocess.DEVNULL
) -> Iterator[subprocess.Popen[bytes]]:
    """A program at work, whose stdout and stderr go to `output`.

    When the block is left the program has ended: if need be, it is killed. OSError where it cannot
    be started.
    """
    leash, held = os.pipe()
    try:
        with subprocess.Popen(
            command, stdin=stdin, stdout=output, stderr=subprocess.STDOUT, pass_fds=[leash]
        ) as process:
            try:
                _tie(leash, process.pid)
                yield process
            finally:
                process.kill()  # nothing happens where it has ended
    finally:
        os.close(leash)
        os.close(held)


def _tie(leash: int, pid: int) -> None:
    """Have the system kill the program when nobody holds the other end of the pipe any more.

    Only this process holds it, so that is when it ends, by whatever signal. O_ASYNC (fcntl(2)) has
    the system send a signal then, SIGKILL, to the program, which keeps the pipe alive. This needs
    no code between fork and exec, which is unsafe beside other threads. And it depends on this
    process; PR_SET_PDEATHSIG depends on the thread that has started the program.
    """
    if CAN_BE_TIED:
        with suppress(OSError):  # the program then ends by itself, when it is done
            fcntl.fcntl(leash, fcntl.F_SETOWN, pid)
            fcntl.fcntl(leash, fcntl.F_SETSIG, signal.SIGKILL)
            fcntl.fcntl(leash, fcntl.F_SETFL, fcntl.fcntl(leash, fcntl.F_GETFL) | os.O_ASYNC)

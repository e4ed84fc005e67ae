"""Runs programs that end when this process ends, however it ends."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType
from typing import IO

CAN_BE_TIED = hasattr(fcntl, "F_SETSIG")  # on Linux

# A shell that becomes the program once it is told to, and ends where nobody is left to do so: a
# program that began at once would outlive a process that is killed before they are tied.
_WAITS = ("/bin/sh", "-c", 'read -r go && exec "$@"', "sh")
_GO = b"\n"


@contextmanager
def running(
    command: Sequence[str], output: IO[bytes], *, is_fed: bool = False
) -> Iterator[subprocess.Popen[bytes]]:
    """A program at work, whose stdout and stderr go to `output`; its stdin is empty, or `is_fed`.

    When the block is left the program has ended: if need be, it is killed. OSError where it cannot
    be started.
    """
    if not shutil.which(command[0]):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), command[0])
    with ExitStack() as at_the_end:
        leash, held = os.pipe()
        at_the_end.callback(os.close, leash)
        at_the_end.callback(os.close, held)
        with _uninterrupted():  # in between, the program would outlive whatever interrupts
            process = at_the_end.enter_context(
                subprocess.Popen(
                    (*_WAITS, *command),
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    pass_fds=[leash],
                )
            )
            at_the_end.callback(process.kill)  # nothing happens where it has ended
            _tie(leash, process.pid)
        assert process.stdin
        with suppress(BrokenPipeError):  # somebody has killed it
            os.write(process.stdin.fileno(), _GO)
        if not is_fed:
            process.stdin.close()
        yield process


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Signals that come within the block are handled when it is left.

    Handlers that raise KeyboardInterrupt do so between any two instructions of the main thread, the
    only one that handles signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers: dict[int, Callable[[int, FrameType | None], object]] = {}
    heard: list[int] = []
    waits = False

    def hear(number: int, frame: FrameType | None) -> None:
        if waits:
            heard.append(number)
        else:  # another handler has raised before this one was put back
            handlers[number](number, frame)

    for each in signal.valid_signals():
        if callable(handler := signal.getsignal(each)):
            handlers[each] = handler
            signal.signal(each, hear)
    try:
        waits = True
        yield
    finally:
        waits = False
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in heard:
            handlers[number](number, None)


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

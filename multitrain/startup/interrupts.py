"""Signals that ask a command to end: it first ends its programs and removes what is half-made.

Each acts as Ctrl-C does, so a command undoes what it has begun on its way out, and ends with exit
code 75. `run` handles signals that stop a night in its own way (`commands.run.loop`).
"""

from __future__ import annotations

import atexit
import signal
import time
from types import FrameType

# All signals that end a process and can be caught. Not those for its own faults, such as
# SIGSEGV, after which nothing can go on. In Python, SIGPIPE is an error of the write.
_NAMES = (
    *("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGABRT", "SIGUSR1", "SIGUSR2"),
    *("SIGALRM", "SIGVTALRM", "SIGPROF", "SIGXCPU", "SIGIO", "SIGPWR", "SIGSTKFLT"),
)
ENDING = tuple(getattr(signal, name) for name in _NAMES if hasattr(signal, name))

# When a terminal closes or a service is stopped, one wish may come as several signals.
SAME_WISH_SECONDS = 1.0


def interrupt_on_signals() -> None:
    """From now on, each of these signals raises KeyboardInterrupt in the main thread.

    Signals that were ignored when the process started stay ignored, as SIGHUP under nohup. At the
    very end all are ignored, so that the exit code says how the command went.
    """
    heard_at = float("-inf")

    def interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        nonlocal heard_at
        before, heard_at = heard_at, time.monotonic()
        if heard_at - before > SAME_WISH_SECONDS:
            raise KeyboardInterrupt

    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, interrupt)
    atexit.register(_ignore_signals)  # run when all threads have ended


def _ignore_signals() -> None:
    """Otherwise Python restores the defaults while it ends, and signals kill the process."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)

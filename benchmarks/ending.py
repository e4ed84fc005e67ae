"""How a benchmark ends that is stopped, or that lacks a package: in a sentence, with nothing left.

`begin` is called before a benchmark imports anything, so that this is so from its first moment on.
Only the standard library is needed until then.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from types import FrameType, TracebackType

from jobs.errors import how_to_install

RUN = "MULTITRAIN_BENCHMARK_RUN"  # an environment variable: all that one run starts inherit it
SIGNALS = (signal.SIGINT, signal.SIGTERM)
SIGNALLED = 128  # exit codes of what ended by a signal are this and its number, as shells have it
EXTRAS = {"hypothesis": "test", "torch": "bench", "jax": "jax"}  # package -> extra that brings it

_stop = threading.Event()
_stopped_by = signal.SIGINT
_run = ""  # the mark of this run; empty where another benchmark's run has started this process


def begin() -> None:
    """From here on Ctrl-C and SIGTERM end this process so, and a missing package does."""
    global _run
    if RUN not in os.environ:
        _run = os.environ[RUN] = f"{os.getpid()}-{os.urandom(4).hex()}"
    for each in SIGNALS:
        if signal.getsignal(each) is not signal.SIG_IGN:  # as behind nohup, or in the background
            signal.signal(each, _stop_at_once)
    sys.excepthook = _tell


def is_stopped() -> bool:
    """Whether nothing more may be started, and what is seen from now on counts for nothing."""
    return _stop.is_set()


def code() -> int:
    """The exit code of a run that is stopped."""
    return SIGNALLED + _stopped_by


def _stop_at_once(number: int, _: FrameType | None) -> None:
    """End all that was started, so that its folders can be removed, and then what waits for it."""
    global _stopped_by
    if _stop.is_set():  # once more: folders stay
        _end_processes()
        os._exit(code())
    _stopped_by = signal.Signals(number)
    _stop.set()
    _end_processes()
    raise KeyboardInterrupt


def _end_processes() -> None:
    """All processes of this run but this one, whoever their parent is by now."""
    with suppress(ImportError):  # without psutil, nothing was started
        import psutil

        from benchmarks import processes

        if _run:
            processes.kill_all(_run, variable=RUN)
        for each in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                each.kill()


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What Python calls for an exception that nobody took."""
    if is_stopped():  # whatever became of it then, such as a program that was ended
        _end_processes()
        told, ended = "stopped before its end; nothing of it runs any more", code()
    elif isinstance(error, ModuleNotFoundError) and not _is_ours(error.name or ""):
        told, ended = missing(error.name or ""), 1
    else:
        sys.__excepthook__(kind, error, trace)
        return
    print(told, file=sys.stderr, flush=True)
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    os._exit(ended)  # threads that still wait for a process are not waited for


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] in ("benchmarks", "jobs", "multitrain", "render", "")


def missing(module: str) -> str:
    """What to do about one that is not installed."""
    package = module.partition(".")[0]
    if extra := EXTRAS.get(package):
        return (
            f"the package {package} is missing, which this benchmark needs: {how_to_install(extra)}"
        )
    return (
        f"the package {package} is missing: ./run.sh installs it into .venv, "
        "whose .venv/bin/python runs the benchmarks"
    )

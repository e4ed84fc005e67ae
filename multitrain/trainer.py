"""The process that trains one job: `python -m multitrain.trainer WORKSPACE JOB`.

With `--spare SOCKET` instead, it gets ready for a job that it is told of later (`spare`). Its
output is the job's log. It ends with 0 (every frame written and covered, walks drawn), 75 (drained:
run it again to go on), 74 (no room on the disk: make some and run it again) or 1 (failed). In the
last two cases `training_failure.json` tells why. SIGTERM and SIGINT drain; SIGUSR1 has it write to
its log what each of its threads is doing.
"""

from __future__ import annotations

import argparse
import faulthandler
import logging
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from jobs.errors import ExitCode, MultitrainError
from jobs.failures import Kind
from jobs.jobfile import JobFile
from jobs.paths import JobPaths, Workspace, listing, part_of

if TYPE_CHECKING:
    from multitrain.engine.session import Session, SessionSettings
    from multitrain.rehearsal import Rehearsed

UNWATCHED = 3  # times the given patience, as a farm that lives has for the first frame

log = logging.getLogger("multitrain.trainer")


@dataclass(frozen=True)
class Call:
    """What the farm asks for."""

    paths: JobPaths
    cores: tuple[int, ...]  # empty: all
    spool_bytes: int | None
    keep_free_bytes: int
    lifeline: int | None  # a file descriptor
    stall_seconds: float | None
    deterministic: bool


def parse_call(arguments: Sequence[str]) -> Call:
    """The command line; exits with code 2 where it is wrong."""
    parser = argparse.ArgumentParser(prog="python -m multitrain.trainer", description=__doc__)
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
    given = parser.parse_args(arguments)
    return Call(
        paths=Workspace(given.workspace).job(given.job),
        cores=given.cores,
        spool_bytes=given.spool_bytes,
        keep_free_bytes=given.keep_free_bytes,
        lifeline=given.lifeline,
        stall_seconds=given.stall_seconds,
        deterministic=given.deterministic,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Train one job in this process; the exit code."""
    _set_up_python()
    arguments = sys.argv[1:] if arguments is None else arguments
    is_called, stop = threading.Event(), threading.Event()
    _obey_signals(is_called, stop)

    def take_call(arguments: Sequence[str]) -> None:
        call = parse_call(arguments)
        is_called.set()
        _hold_on_to(call.lifeline, stop, call.stall_seconds)

    rehearsed = None
    if arguments[:1] == ["--spare"]:
        from multitrain.spare import wait_for_call

        arguments, rehearsed = wait_for_call(int(arguments[1]), _rehearse, take_call)
    else:
        take_call(arguments)
    call = parse_call(arguments)
    _stay_on(call.cores)
    try:
        for stale in (call.paths.training_failure, part_of(call.paths.training_failure)):
            stale.unlink(missing_ok=True)
        finished = train(call, stop, rehearsed)
    except Exception as error:
        return _give_up(call.paths, error)
    log.info("all frames are there" if finished else "drained; the next start goes on from here")
    return ExitCode.DONE if finished else ExitCode.DRAINED


def _rehearse(arguments: Sequence[str]) -> Rehearsed | None:
    """The job of a call that may come; None where that fails, which the call would tell."""
    from multitrain.rehearsal import rehearse

    call = parse_call(arguments)
    try:
        job = _load_job(call.paths)
    except (MultitrainError, OSError):
        return None
    return rehearse(job, call.paths, _session_settings(call), call.keep_free_bytes)


def _session_settings(call: Call) -> SessionSettings:
    from multitrain.engine.session import SessionSettings

    return SessionSettings(call.deterministic, threads=len(call.cores) or None)


def train(call: Call, stop: threading.Event, rehearsed: Rehearsed | None = None) -> bool:
    """Whether the job is trained to its end; False where `stop` came first."""
    # Here, not above: affinity and environment are set before anything that counts cores.
    from multitrain.beginnings import opening_at_origin
    from multitrain.completion import make_complete
    from multitrain.datasets.cache import open_pictures_of
    from multitrain.families import open_session
    from multitrain.rehearsal import opening_with
    from multitrain.room import Room
    from multitrain.training import Training
    from render.clearing import sweep_checkpoints

    job = _load_job(call.paths)
    spec, settings = job.spec, _session_settings(call)
    sweep_checkpoints(call.paths)
    if make_complete(job, call.paths):
        return _draw_walks(call, job, settings, stop)
    log.info("%s: %s, data set %s", spec.name, spec.family, ", ".join(map(str, spec.dataset)))
    floor = call.keep_free_bytes
    pictures = open_pictures_of(job, call.paths.workspace, keep_free=floor)
    log.info("%d pictures of %s", len(pictures.images), job.loaded_size)
    for skipped in pictures.skipped:
        log.warning("left out %s: %s", skipped.path, skipped.reason)
    if stop.is_set():
        return False
    opener: Callable[[], Session] = partial(
        open_session, job, pictures.images, settings, pictures.counts
    )
    if rehearsed and rehearsed.serves(job, settings, pictures.fingerprint):
        log.info("its networks are built already")
        opener = opening_with(rehearsed, opener)
    opener = opening_at_origin(spec, call.paths, opener)
    room = Room(call.paths, call.spool_bytes, call.keep_free_bytes)
    training = Training(spec, call.paths, job.plan, opener, pictures.fingerprint, room, stop)
    is_trained = training.run()
    del training  # the device is for walks now
    return is_trained and _draw_walks(call, job, settings, stop)


def _draw_walks(call: Call, job: JobFile, settings: SessionSettings, stop: threading.Event) -> bool:
    """Whether all that the sheet asks for are there; False where `stop` came first."""
    if not any(loop.is_walk for loop in job.spec.loops or ()):
        return True
    from multitrain.walking.of_sheets import make_walks

    return make_walks(call.paths, job, settings, stop)


def _load_job(paths: JobPaths) -> JobFile:
    job = JobFile.load(paths)
    if job is None:
        raise MultitrainError(f"{paths.job_file} is not there; submit the job with its sheet")
    return job


def _give_up(paths: JobPaths, error: Exception) -> ExitCode:
    """Tell why, in the log and in the job's folder."""
    from multitrain.failures import diagnose

    failure = diagnose(error)
    log.error(failure.reason, exc_info=error)
    try:
        failure.save(paths.training_failure)
    except OSError as trouble:
        log.error("that cannot be written down: %s", trouble)
    return ExitCode.DISK_FULL if failure.kind is Kind.DISK_FULL else ExitCode.FAILED


def _obey_signals(is_called: threading.Event, stop: threading.Event) -> None:
    """Signals set `stop`, at which the training looks between blocks; before the call they end."""

    def end_or_drain(*_: object) -> None:
        if not is_called.is_set():
            os._exit(ExitCode.DRAINED)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end_or_drain)
    faulthandler.register(signal.SIGUSR1)


def _hold_on_to(lifeline: int | None, stop: threading.Event, patience: float | None) -> None:
    """The farm's death sets `stop`, too; and ends the process, where that does not."""
    if lifeline is not None:
        threading.Thread(
            target=_hold, args=(lifeline, stop, patience), name="lifeline", daemon=True
        ).start()


def _hold(lifeline: int, stop: threading.Event, patience: float | None) -> None:
    """Until the farm is gone; then the process has `patience` seconds, if that is given, to end.

    An alarm is set while the farm lives, too, and put off again and again. So it also ends a
    process that hangs within a call that keeps the interpreter's lock, where nothing could set it.
    """
    alive = True
    while alive:
        _set_alarm(patience and UNWATCHED * patience)
        alive = not _has_ended(lifeline, patience)
    _set_alarm(patience)
    log.warning("the farm is gone; draining")
    stop.set()


def _set_alarm(patience: float | None) -> None:
    """End the process in so many seconds and not before, from a thread that needs no lock."""
    if patience is not None:
        faulthandler.dump_traceback_later(patience, exit=True)


def _has_ended(lifeline: int, within: float | None) -> bool:
    """Whether the other end of the pipe was closed within so many seconds; None waits for it."""
    pipe = select.poll()
    pipe.register(lifeline, select.POLLIN)
    ready = pipe.poll(None if within is None else within * 1000)
    return bool(ready) and not os.read(lifeline, 1)


def _stay_on(cores: tuple[int, ...]) -> None:
    """Run on these cores only, with every thread: a spare has some already."""
    if not cores or not hasattr(os, "sched_setaffinity"):
        return
    threads = Path("/proc/self/task")
    for thread in listing(threads) or [str(os.getpid())]:
        with suppress(ProcessLookupError):  # it has just ended
            os.sched_setaffinity(int(thread), cores)


def _set_up_python() -> None:
    faulthandler.enable()
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # errors only
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    logging.captureWarnings(True)
    for chatty in ("tensorflow", "absl", "py.warnings", "h5py"):
        logging.getLogger(chatty).setLevel(logging.ERROR)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def leave(code: int) -> NoReturn:
    """End the process now. Taking a framework down in good order takes long, and helps nobody."""
    logging.shutdown()
    for output in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # the disk of the log is full, or it is closed
            output.flush()
    os._exit(code)


if __name__ == "__main__":
    leave(main())

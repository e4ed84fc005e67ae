"""The process that trains one job: `python -m multitrain.trainer.process WORKSPACE JOB`.

With `--spare SOCKET` instead, it gets ready for a job that is named later (`waiting`). Its
output is the job's log. It ends with 0 (every frame written and covered, walks drawn), 75 (drained:
run it again to go on), 74 (no room on the disk: make some and run it again) or 1 (failed). In the
last two cases `training_failure.json` says why. SIGTERM and SIGINT drain; SIGUSR1 has it write to
its log what each of its threads is doing.
"""

from __future__ import annotations

import faulthandler
import gc
import logging
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from jobs.errors import ExitCode, MultitrainError, PicturesDamaged
from jobs.workspace.failures import Kind
from jobs.workspace.files import listing, part_of
from jobs.workspace.jobfile import JobFile
from jobs.workspace.outputs import extras, is_drawn_by_trainer
from jobs.workspace.paths import JobPaths
from multitrain.protocol.call import PROGRAM, Call

if TYPE_CHECKING:
    from multitrain.engine.session import Session, SessionSettings
    from multitrain.trainer.rehearsal import Rehearsed

UNWATCHED = 3  # times the given patience: as long as a living farm waits for a first frame

log = logging.getLogger(PROGRAM)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train one job in this process; the exit code."""
    _set_up_python()
    arguments = sys.argv[1:] if arguments is None else arguments
    is_called, stop = threading.Event(), threading.Event()
    _obey_signals(is_called, stop)

    def take_call(arguments: Sequence[str]) -> None:
        call = Call.parse(arguments, __doc__)
        is_called.set()
        _hold_on_to(call.lifeline, stop, call.stall_seconds)

    rehearsed = None
    if arguments[:1] == ["--spare"]:
        from multitrain.trainer.waiting import wait_for_call

        arguments, rehearsed = wait_for_call(int(arguments[1]), _rehearse, take_call)
    else:
        take_call(arguments)
    call = Call.parse(arguments, __doc__)
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
    """Rehearse the job of a call that may come; None where that fails: the call will report it."""
    from multitrain.trainer.rehearsal import rehearse

    call = Call.parse(arguments, __doc__)
    try:
        job = _load_job(call.paths)
    except (MultitrainError, OSError):
        return None
    return rehearse(job, call.paths, _session_settings(call), call.keep_free_bytes)


def _session_settings(call: Call) -> SessionSettings:
    from multitrain.engine.session import SessionSettings

    return SessionSettings(call.deterministic, threads=len(call.cores) or None)


def train(call: Call, stop: threading.Event, rehearsed: Rehearsed | None = None) -> bool:
    """Train the job; whether it reached its end. False where `stop` came first.

    Where its decoded pictures turn out to be damaged, they are decoded anew, once.
    """
    try:
        return _train(call, stop, rehearsed)
    except PicturesDamaged as damage:
        log.warning("%s; the pictures are decoded anew", damage)
    gc.collect()  # frees the device: what frameworks compile has reference cycles
    return _train(call, stop)


def _train(call: Call, stop: threading.Event, rehearsed: Rehearsed | None = None) -> bool:
    # Imported here: affinity and environment must be set before anything counts cores.
    from jobs.families.table import family_of
    from multitrain.families import open_session
    from multitrain.trainer.completion import make_complete
    from multitrain.trainer.feeds import open_job_pictures
    from multitrain.trainer.rehearsal import opening_with
    from multitrain.trainer.training import Training
    from multitrain.weights.init_from import opening_at_origin
    from render.films.clearing import sweep_checkpoints
    from render.spool.room import Room

    job = _load_job(call.paths)
    spec, settings = job.spec, _session_settings(call)
    sweep_checkpoints(call.paths)
    if make_complete(job, call.paths):
        return _draw_the_rest(call, job, settings, stop)
    log.info("%s: %s", spec.name, spec.family)
    floor = call.keep_free_bytes
    pictures = open_job_pictures(job, call.paths.workspace, keep_free=floor)
    for name, feed in pictures.feeds.items():
        log.info("%s: %d of %s in %s", name, feed.items, feed.size, ", ".join(feed.feed.folders))
    for skipped in pictures.skipped:
        log.warning("left out %s: %s", skipped.path, skipped.reason)
    if stop.is_set():
        return False
    opener: Callable[[], Session] = partial(open_session, job, pictures.feeds, settings)
    fingerprints = pictures.fingerprints
    if rehearsed and rehearsed.serves(job, settings, fingerprints):
        log.info("its networks are built already")
        opener = opening_with(rehearsed, opener)
    opener = opening_at_origin(spec, call.paths, opener)
    with ExitStack() as at_the_end:
        if family_of(spec).streams(spec):
            from multitrain.codec.online import opening_online

            opener = opening_online(job, pictures.feeds, settings, call.paths, opener, at_the_end)
        training = Training(
            spec,
            call.paths,
            job.plan,
            opener,
            fingerprints,
            Room(call.paths, call.spool_bytes, call.keep_free_bytes),
            stop,
            pictures.are_intact,
            measured_by=pictures.measured_by,
        )
        try:
            is_trained = training.run()
        except PicturesDamaged as damage:
            raise PicturesDamaged(f"{pictures.forget_damaged()} is damaged") from damage
    del training, opener  # frees the device
    return is_trained and _draw_the_rest(call, job, settings, stop)


def _draw_the_rest(
    call: Call, job: JobFile, settings: SessionSettings, stop: threading.Event
) -> bool:
    """Draw what else the sheet asks for; whether all is there. False if `stop` came first."""
    if not any(map(is_drawn_by_trainer, extras(job.spec, job.plan))):
        return True
    from multitrain.trainer.drawing import draw_the_rest

    return draw_the_rest(call.paths, job, settings, stop)


def _load_job(paths: JobPaths) -> JobFile:
    job = JobFile.load(paths)
    if job is None:
        raise MultitrainError(f"{paths.job_file} is not there; submit the job with its sheet")
    return job


def _give_up(paths: JobPaths, error: Exception) -> ExitCode:
    """Write the reason to the log and to the job's folder; returns the exit code."""
    from multitrain.trainer.diagnosis import diagnose

    failure = diagnose(error)
    log.error(failure.reason, exc_info=error)
    try:
        failure.save(paths.training_failure)
    except OSError as trouble:
        log.error("that cannot be written down: %s", trouble)
    return ExitCode.DISK_FULL if failure.kind is Kind.DISK_FULL else ExitCode.FAILED


def _obey_signals(is_called: threading.Event, stop: threading.Event) -> None:
    """Have signals set `stop`, which the training checks between blocks; before a call, exit."""

    def end_or_drain(*_: object) -> None:
        if not is_called.is_set():
            os._exit(ExitCode.DRAINED)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end_or_drain)
    faulthandler.register(signal.SIGUSR1)


def _hold_on_to(lifeline: int | None, stop: threading.Event, patience: float | None) -> None:
    """Have the farm's end set `stop`, too, and end the process where it does not stop in time."""
    if lifeline is not None:
        threading.Thread(
            target=_hold, args=(lifeline, stop, patience), name="lifeline", daemon=True
        ).start()


def _hold(lifeline: int, stop: threading.Event, patience: float | None) -> None:
    """Wait until the farm is gone; then the process has `patience` seconds, if given, to end.

    An alarm is also set while the farm lives, and put off again and again. So it ends even a
    process that hangs in a call that keeps the interpreter's lock, when nothing could set an alarm
    any more.
    """
    alive = True
    while alive:
        _set_alarm(patience and UNWATCHED * patience)
        alive = not _has_ended(lifeline, patience)
    _set_alarm(patience)
    log.warning("the farm is gone; draining")
    stop.set()


def _set_alarm(patience: float | None) -> None:
    """End the process in `patience` seconds, from a thread that needs no lock; None: never."""
    if patience is not None:
        faulthandler.dump_traceback_later(patience, exit=True)


def _has_ended(lifeline: int, within: float | None) -> bool:
    """Whether the pipe's other end is closed `within` so many seconds; None: wait for ever."""
    pipe = select.poll()
    pipe.register(lifeline, select.POLLIN)
    ready = pipe.poll(None if within is None else within * 1000)
    return bool(ready) and not os.read(lifeline, 1)


def _stay_on(cores: tuple[int, ...]) -> None:
    """Run on these cores only, with every thread: a spare has started some already."""
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


def leave(code: int) -> NoReturn:
    """End the process now. To shut a framework down properly takes long, and is of no use."""
    logging.shutdown()
    for output in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # the disk of the log is full, or it is closed
            output.flush()
    os._exit(code)


if __name__ == "__main__":
    leave(main())

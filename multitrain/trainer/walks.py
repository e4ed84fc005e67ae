"""The walks that a job's sheet asks for, drawn by its trainer once all its frames are there.

A walk that was cut off by a drain is drawn anew. One that cannot be drawn is named in the log and
given up: it costs the job nothing else.
"""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable

from jobs.errors import MultitrainError
from jobs.workspace.failures import Kind
from jobs.workspace.jobfile import JobFile
from jobs.workspace.outputs import LoopFile, format_of
from jobs.workspace.paths import JobPaths
from multitrain.engine.session import SessionSettings
from multitrain.trainer.diagnosis import diagnose
from multitrain.trainer.progress import ProgressLog
from multitrain.walking.making import WalkPlan, make_walk
from multitrain.weights.moments import moments_of
from render.encoding.ffmpeg import Stopped
from render.encoding.formats import Quality
from render.spool.notes import missing_walks, note_given_up, note_made

TELL_SECONDS = 1.0  # between two lines of progress

# Failures that are not the walk's fault: the farm makes room, or takes another GPU.
PASSED_ON = {Kind.DISK_FULL, Kind.DEVICE}

log = logging.getLogger(__name__)


def make_walks(
    paths: JobPaths,
    job: JobFile,
    settings: SessionSettings,
    stop: threading.Event,
    clock: Callable[[], float] = time.monotonic,
) -> bool:
    """Draw the missing walks, in the order of the sheet; False where `stop` came first.

    Raises what a full disk or a broken GPU raises, and OSError where it cannot be noted that a walk
    is there: then the next start draws the same one again.
    """
    missing = missing_walks(paths, job)
    if not missing:
        return True
    reports = _Reports(paths, job, clock)
    for each in missing:
        gc.collect()  # frees the device: frameworks have reference cycles
        try:
            _draw(paths, job, each, settings, stop, reports)
        except Stopped:
            log.info("%s: stopped; it is drawn anew at the next start", each)
            return False
        except Exception as error:
            failure = diagnose(error)
            if failure.kind in PASSED_ON:
                raise
            unforeseen = None if isinstance(error, MultitrainError) else error
            log.error("cannot draw %s: %s", each, failure.reason, exc_info=unforeseen)
            note_given_up(paths, job, each)
            continue
        note_made(paths, job, each)  # where that fails, the walk is not at fault
        log.info("published %s", paths.files_of(each, job.spec)[0])
    return True


def _draw(
    paths: JobPaths,
    job: JobFile,
    each: LoopFile,
    settings: SessionSettings,
    stop: threading.Event,
    reports: _Reports,
) -> None:
    if stop.is_set():
        raise Stopped
    spec = job.spec
    plan = WalkPlan(job, each.loop.walk_settings(), format_of(each.loop, spec))
    plan.check()
    moments = moments_of(paths, spec, plan.settings)
    log.info("%s: %d frames, from %s", each, plan.frames, moments.told)
    output = paths.files_of(each, spec)[0]
    quality = Quality(spec.crf, spec.preset)
    make_walk(plan, moments, output, reports, settings, stop, quality)
    reports.end_walk(plan.frames)


class _Reports:
    """Reports drawn frames to the farm, so that it does not take the trainer for stuck."""

    def __init__(self, paths: JobPaths, job: JobFile, clock: Callable[[], float]) -> None:
        self._log, self._plan, self._clock = ProgressLog(paths), job.plan, clock
        self._before = 0  # frames of the walks that are whole
        self._reported_at = float("-inf")

    def __call__(self, frames: int) -> None:
        """`frames` frames of the walk are written."""
        now = self._clock()
        if now - self._reported_at >= TELL_SECONDS:
            self._reported_at = now
            self._tell(frames)

    def end_walk(self, frames: int) -> None:
        self._tell(frames)
        self._before += frames

    def _tell(self, frames: int) -> None:
        plan = self._plan
        self._log.tell_walked(plan.steps_total, plan.frames_total, self._before + frames)

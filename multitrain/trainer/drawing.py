"""What a job's sheet asks networks to draw, once all its frames are there: walks, other videos, and
loops that another job's network enlarges.

A walk that was cut off by a drain is drawn anew; a video goes on. One that cannot be drawn is named
in the log and given up: it costs the job nothing else.
"""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs.errors import MultitrainError
from jobs.workspace.failures import Kind
from jobs.workspace.jobfile import JobFile
from jobs.workspace.outputs import AppliedFile, Extra, LoopFile, StreamFile, format_of
from jobs.workspace.paths import JobPaths
from multitrain.applying.asked import Asked
from multitrain.applying.enlarging import Enlarging
from multitrain.applying.planning import VideoPlan
from multitrain.codec.files import finish
from multitrain.engine.session import SessionSettings
from multitrain.trainer.diagnosis import diagnose
from multitrain.trainer.progress import ProgressLog
from multitrain.walking.making import WalkPlan, make_walk
from multitrain.weights.moments import moments_of
from render.clips.looping import make_loop, plan_clip
from render.clips.pieces import LOSSLESS
from render.encoding.ffmpeg import Stopped
from render.encoding.formats import Quality
from render.files.claims import BeingMade
from render.files.film import Film
from render.spool.notes import film_is_made, note_given_up, note_made, still_to_draw

TELL_SECONDS = 1.0  # between two lines of progress

# Failures that are no fault of what is drawn: the farm makes room, takes another GPU, or has fewer
# jobs share one.
PASSED_ON = {Kind.DISK_FULL, Kind.DEVICE, Kind.OUT_OF_MEMORY}
BUSY_SECONDS = 10.0  # between two looks whether another call still makes the same video
FILM_SECONDS = 1.0  # between two looks whether the render worker has joined the film

# What a loop is made of, and what makes it without loss, at a path.
Clip = tuple[Sequence[Path], Callable[[Path], None]]

log = logging.getLogger(__name__)


def draw_the_rest(
    paths: JobPaths,
    job: JobFile,
    settings: SessionSettings,
    stop: threading.Event,
    clock: Callable[[], float] = time.monotonic,
) -> bool:
    """Draw what is missing, in the order of the sheet; False where `stop` came first.

    Raises what a full disk or a broken GPU raises, and OSError where it cannot be noted that it is
    there: then the next start draws the same again.
    """
    missing = still_to_draw(paths, job)
    if not missing:
        return True
    drawing = _Drawing(paths, job, settings, stop, _Reports(paths, job, clock))
    for each in missing:
        gc.collect()  # frees the device: frameworks have reference cycles
        try:
            drawing.draw(each)
        except Stopped:
            log.info("%s: stopped; the next start draws it", each)
            return False
        except Exception as error:
            failure = diagnose(error)
            if failure.kind in PASSED_ON:
                raise
            unforeseen = None if isinstance(error, MultitrainError) else error
            log.error("cannot draw %s: %s", each, failure.reason, exc_info=unforeseen)
            note_given_up(paths, job, each)
            continue
        note_made(paths, job, each)  # where that fails, what was drawn is not at fault
        log.info("published %s", paths.files_of(each, job.spec)[0])
    return True


@dataclass(frozen=True)
class _Drawing:
    """What networks draw for a job; each method raises Stopped soon after `stop` is set."""

    paths: JobPaths
    job: JobFile
    settings: SessionSettings
    stop: threading.Event
    reports: _Reports

    def draw(self, each: Extra) -> None:
        self._heed_stop()
        match each:
            case LoopFile(_, _, loop) if loop.scale_with:
                self._enlarge(each, loop.scale_with)
            case LoopFile():
                self._walk(each)
            case AppliedFile():
                self._apply(each)
            case StreamFile():
                finish(self.paths.stream, self.paths.files_of(each, self.job.spec)[0])

    def _walk(self, each: LoopFile) -> None:
        plan = self._plan_walk(each)
        moments = moments_of(self.paths, self.job.spec, plan.settings)
        log.info("%s: %d frames, from %s", each, plan.frames, moments.told)
        output = self.paths.files_of(each, self.job.spec)[0]
        make_walk(plan, moments, output, self.reports, self.settings, self.stop, self._quality)
        self.reports.end_video(plan.frames)

    def _plan_walk(self, each: LoopFile) -> WalkPlan:
        plan = WalkPlan(self.job, each.loop.walk_settings(), format_of(each.loop, self.job.spec))
        plan.check()
        return plan

    def _apply(self, each: AppliedFile) -> None:
        """As `multitrain apply` does, with the newest weights."""
        asked, name = Asked(self.paths.workspace, self.job), self.job.spec.format[0]
        film, moments = Film.look(Path(each.source), with_sound=True), asked.moments()
        course = asked.course(moments, asked.frames_of(film))
        log.info("%s: %d frames, by %s", each, course.frames, moments[0].told)
        note = asked.note(film.path, moments, name)
        self._make(each, VideoPlan.of(asked, course, film, name, asked.pieces_of(note)), note)

    def _enlarge(self, each: LoopFile, by: str) -> None:
        """A loop without loss first, cut or drawn; then what the other network makes of it."""
        name, closed = format_of(each.loop, self.job.spec), each.loop.is_closed
        enlarging = Enlarging.by(self.paths.workspace, by, name, closed=closed)
        sources, make_clip = self._drawn(each) if each.loop.is_walk else self._cut(each)
        note = enlarging.note(sources, self.job.text, str(each))
        plan = enlarging.plan(make_clip, note, self._quality)
        log.info("%s: %d frames, by %s", each, plan.film.frames, plan.course.told)
        self._make(each, plan, note)

    def _drawn(self, each: LoopFile) -> Clip:
        plan = self._plan_walk(each)
        moments = moments_of(self.paths, self.job.spec, plan.settings)

        def make(clip: Path) -> None:
            make_walk(plan.without_loss, moments, clip, self.reports, self.settings, self.stop)
            self.reports.end_video(plan.frames)

        return plan.sources(moments), make

    def _cut(self, each: LoopFile) -> Clip:
        """Of the film, which is waited for: what encoders are behind by fits into the spool."""
        self._wait_for_the_film(each)
        film = self.paths.film(each.box, self.job.plan.suffix)
        settings, name = each.loop.clip_settings(), format_of(each.loop, self.job.spec)

        def heed(_: int) -> None:
            self._heed_stop()

        def make(clip: Path) -> None:
            planned = plan_clip([film], settings, name, heed)
            make_loop([film], settings, LOSSLESS, clip, heed, planned=planned)

        return [film], make

    def _wait_for_the_film(self, each: LoopFile) -> None:
        plan = self.job.plan
        if not film_is_made(self.paths, plan):
            log.info("%s: waits for the film", each)
        while not film_is_made(self.paths, plan):
            if self.stop.wait(FILM_SECONDS):
                raise Stopped

    def _make(self, each: Extra, plan: VideoPlan, note: str) -> None:
        from multitrain.applying.making import Maker, Networks, make_video  # with its framework
        from multitrain.inference.network import Device

        asked, frames = plan.asked, plan.frames

        def on_frames(done: int) -> None:
            self._heed_stop()
            self.reports(done)

        def network() -> Maker:
            return Networks(asked, Device(asked.job, self.settings)).of_video(plan)

        output = self.paths.files_of(each, self.job.spec)[0]
        while True:
            try:
                lost = make_video(plan, output, note, network, on_frames)
                break
            except BeingMade as busy:  # by its user, with `multitrain apply`
                log.info("%s: %s", each, busy)
                if self.stop.wait(BUSY_SECONDS):
                    raise Stopped from busy
        if lost:
            log.warning("%s: %s", each, lost)
        self.reports.end_video(frames)

    @property
    def _quality(self) -> Quality:
        return Quality(self.job.spec.crf, self.job.spec.preset)

    def _heed_stop(self) -> None:
        if self.stop.is_set():
            raise Stopped


class _Reports:
    """Reports drawn frames to the farm, so that it does not take the trainer for stuck."""

    def __init__(self, paths: JobPaths, job: JobFile, clock: Callable[[], float]) -> None:
        self._log, self._plan, self._clock = ProgressLog(paths), job.plan, clock
        self._before = 0  # frames of what is whole
        self._reported_at = float("-inf")

    def __call__(self, frames: int) -> None:
        """`frames` frames of a walk, or of another video, are written."""
        now = self._clock()
        if now - self._reported_at >= TELL_SECONDS:
            self._reported_at = now
            self._tell(frames)

    def end_video(self, frames: int) -> None:
        self._tell(frames)
        self._before += frames

    def _tell(self, frames: int) -> None:
        plan = self._plan
        self._log.tell_walked(plan.steps_total, plan.frames_total, self._before + frames)

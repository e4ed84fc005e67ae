"""One job in the render worker's hands: what is due for it, doing that, and trying it again."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from jobs.disk import free_bytes, means_full
from jobs.errors import MultitrainError, ProgramFailed
from jobs.jobfile import JobFile
from jobs.outputs import Extra
from jobs.paths import JobPaths, modified
from jobs.sizes import extra_bytes
from render.clearing import sweep
from render.extras import make_extra
from render.ffmpeg import Stopped
from render.films import drop_batches, finish_job, join_film, publish_timecut
from render.inventory import take_inventory
from render.latest import NewestFrame, newest_frame, write_latest
from render.notes import note_given_up, outputs_of
from render.segments import encode_batch, write_images
from render.sources import Rewound
from render.timecuts import (
    EncodeBatch,
    FinishJob,
    JoinFilm,
    MakeExtra,
    PublishTimecut,
    Task,
    Wanted,
    WriteImages,
    due,
)

TRIES = 3  # of each task, before the job is given up
RETRY_SECONDS = 1.0  # pause after the first failure, twice that after the second
ROOM_SECONDS = 5.0  # pause after a full disk, which counts as no failure
LOOK_SECONDS = 2.0  # at most between two looks: two changes may bear the same time
LATEST_SECONDS = 3.0  # between two pictures

log = logging.getLogger(__name__)


class Rendering:
    """A job that is being rendered. Only `perform` is called from other threads."""

    def __init__(
        self, paths: JobPaths, job: JobFile, stop: threading.Event, keep_free: int = 0
    ) -> None:
        """Extras are not begun where they would leave less than `keep_free` bytes on the disk, and
        not finished once `stop` is set: they can be made again.
        """
        self.paths = paths
        self.job = job
        self._stop, self._keep_free = stop, keep_free
        self.running: set[Task] = set()
        self._wanted = Wanted.by(job.spec, job.plan)
        self._failures: Counter[Task] = Counter()
        self._not_before: dict[Task, float] = {}
        # A timecut that its user moves away is not made again while this worker lives.
        self._published: frozenset[int] = frozenset()
        # When nothing was to do: how the folders were, and when. To list the files of long films
        # several times a second costs more than to encode a short one.
        self._seen: tuple[int, ...] | None = None
        self._looked_at = float("-inf")
        self._is_swept = False
        self._lacks_room = False  # the disk was full; it is said once
        self._told_to_wait: set[Task] = set()
        self._rests_until = float("-inf")
        self._shown: NewestFrame | None = None
        self._shown_at = float("-inf")
        self._picture_failed = False

    def sweep(self) -> None:
        """Remove what a worker before this one left half-made, at the first call."""
        if not self._is_swept:
            sweep(self.paths, self.job)
            self._is_swept = True

    def waiting_tasks(self, now: float) -> list[Task]:
        """What is due and not in hand, after dropping the batches that nobody needs any more."""
        paths = self.paths
        folders = (paths.spool, paths.segments, paths.checkpoints, paths.made_folder)
        seen = tuple(map(modified, (*folders, self.paths.workspace.renders)))
        if seen == self._seen and now < self._looked_at + LOOK_SECONDS:
            return []
        waiting = self._look(now)
        self._seen, self._looked_at = None if waiting or self.running else seen, now
        return waiting

    def _look(self, now: float) -> list[Task]:
        plan = self.job.plan
        found = take_inventory(self.paths, self.job)
        self._published |= found.published
        found = replace(found, published=self._published)
        now_due = due(plan, self._wanted, found)
        drop_batches(self.paths, self.job, now_due.drop)
        waiting = [
            task
            for task in now_due.tasks()
            if task not in self.running and self._not_before.get(task, now) <= now
        ]
        return list(self._with_room(waiting)) if self._keep_free else waiting

    def _with_room(self, tasks: Iterable[Task]) -> Iterator[Task]:
        """Those for which there is room together. Only extras let nothing go afterwards."""
        coming = sum(map(self._extra_bytes, self.running))
        for task in tasks:
            size = self._extra_bytes(task)
            if not size or self._has_room(task, coming + size):
                coming += size
                yield task

    def _extra_bytes(self, task: Task) -> int:
        return extra_bytes(task.extra, self.job) if isinstance(task, MakeExtra) else 0

    def _has_room(self, task: Task, coming: int) -> bool:
        """Whether `coming` bytes leave enough; it is told once of each task that waits."""
        if free_bytes(self.paths.workspace.renders) - coming >= self._keep_free:
            return True
        if task not in self._told_to_wait:
            self._told_to_wait.add(task)
            log.warning("%s: %s: waits for room on the disk", self.paths.name, task)
        return False

    def perform(self, task: Task) -> None:
        """Do it, to the end; raises where it fails."""
        match task:
            case EncodeBatch(batch):
                encode_batch(self.paths, self.job, batch)
            case WriteImages(batch):
                write_images(self.paths, self.job, batch)
            case PublishTimecut(number, segments):
                publish_timecut(self.paths, self.job, number, segments)
            case JoinFilm():
                join_film(self.paths, self.job)
            case MakeExtra(extra):
                make_extra(self.paths, self.job, extra, self._stop)
            case FinishJob():
                finish_job(self.paths, self.job)

    def ended(self, task: Task, error: BaseException | None, now: float) -> bool:
        """Take note of how a task that ran has ended; whether the job is to be given up."""
        self.running.discard(task)
        if error is None:
            self._lacks_room = False
            log.info("%s: %s", self.paths.name, task)
        elif isinstance(error, Stopped):
            log.info("%s: %s: stopped", self.paths.name, task)
        elif isinstance(error, Rewound):
            log.info("%s: taken back meanwhile: %s", self.paths.name, error)
        elif means_full(error):
            # Only this task waits: another one, such as the encoding of a batch, may make room.
            self._not_before[task] = now + ROOM_SECONDS
            self._tell_full(error)
        else:
            self._failures[task] += 1
            tries = self._failures[task]
            self._report(task, error, tries)
            self._not_before[task] = now + RETRY_SECONDS * tries
            if tries >= TRIES and isinstance(task, MakeExtra):
                self._give_up(task.extra)
            return tries >= TRIES and not isinstance(task, MakeExtra)
        return False

    def _give_up(self, extra: Extra) -> None:
        """The film is there: what cannot be made of it costs the job nothing else."""
        with suppress(OSError):  # then it is tried once more
            note_given_up(self.paths, self.job, extra)

    def rest(self, error: BaseException, now: float) -> None:
        """The disk is full, or cannot be reached, even to look after this job: a while later."""
        self._rests_until = now + ROOM_SECONDS
        self._tell_full(error)

    def rests(self, now: float) -> bool:
        return now < self._rests_until

    def refresh_latest(self, now: float) -> bool:
        """Show the newest frame if there is a new one and the last picture is old enough.

        Whether it tried. A picture is a nicety: no failure of it stops anything.
        """
        if now - self._shown_at < LATEST_SECONDS:
            return False
        try:
            newest = newest_frame(self.paths, self.job.plan)
            if newest is None or newest == self._shown:
                return False
            self._shown_at = now
            write_latest(self.paths, self.job.plan, newest)
        except OSError as error:
            if not self._picture_failed:
                log.warning("%s: no new latest.jpg: %s", self.paths.name, error)
            self._picture_failed = True
        else:
            self._shown, self._picture_failed = newest, False
        return True

    def outputs(self) -> list[Path]:
        """What is published and stays as it is: timecuts, the film, what was made of it."""
        return outputs_of(self.paths, self.job)

    def _tell_full(self, error: BaseException) -> None:
        if not self._lacks_room:
            name = self.paths.name
            trouble = "is full; it goes on when there is room"
            if not means_full(error):
                trouble = "cannot be reached; it goes on when it can"
            log.warning("%s: the disk %s (%s)", name, trouble, error)
        self._lacks_room = True

    def _report(self, task: Task, error: BaseException, tries: int) -> None:
        known = error.full_report() if isinstance(error, ProgramFailed) else error
        trace = None if isinstance(error, MultitrainError | OSError) else error
        log.error(
            "%s: %s failed, try %d of %d: %s",
            *(self.paths.name, task, tries, TRIES, known),
            exc_info=trace,
        )

"""One job in the render worker: finds what is due for it, does that, and tries again."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from jobs.errors import FramesLost, MultitrainError, ProgramFailed
from jobs.sheets.sizes import extra_bytes
from jobs.workspace.disk import free_bytes, means_full
from jobs.workspace.files import modified
from jobs.workspace.jobfile import JobFile
from jobs.workspace.moves import finish_moves
from jobs.workspace.outputs import Extra
from jobs.workspace.paths import JobPaths
from render.encoding.ffmpeg import Stopped
from render.files.digests import Damaged
from render.films.clearing import sweep
from render.films.due import Due, Wanted, due
from render.films.extras import make_extra
from render.films.films import (
    ChangedExtra,
    cut_timecut,
    drop_batches,
    finish_job,
    join_film,
    publish_timecut,
)
from render.films.images import find_images
from render.films.inventory import take_inventory
from render.films.losses import tell_lost
from render.films.moments import look_for_moments
from render.films.previews import show_timecut
from render.films.segments import encode_batch, write_images
from render.films.tasks import (
    CutTimecut,
    EncodeBatch,
    FindImages,
    FinishJob,
    JoinFilm,
    MakeExtra,
    PublishTimecut,
    Task,
    WriteImages,
)
from render.spool.notes import note_given_up, outputs_of
from render.spool.sources import Rewound
from render.spool.spool import locked
from render.worker.preview import Preview

TRIES = 3  # of each task, before the job is given up
RETRY_SECONDS = 1.0  # pause after the first failure, twice that after the second
ROOM_SECONDS = 5.0  # pause after a full disk, which counts as no failure
LOOK_SECONDS = 2.0  # at most between two looks: a second change may leave a folder's time as it is

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
        self.preview = Preview(paths, job.plan)
        self.running: set[Task] = set()
        self._wanted = Wanted.by(job.spec, job.plan)
        self._failures: Counter[Task] = Counter()
        self._not_before: dict[Task, float] = {}
        # A timecut that its user moves away is not made again while this worker lives.
        self._published: frozenset[int] = frozenset()
        # The times of the folders when nothing was to do, and when that was. To list the files of
        # long films several times a second costs more than to encode a short one.
        self._seen: tuple[int, ...] | None = None
        self._looked_at = float("-inf")
        # Extras that were due at the last look: a film in a thousand boxes has a thousand posters.
        self._extras_left: list[Task] = []
        self._is_swept = False
        self._lacks_room = False  # the disk was full, which is logged once
        self._logged_waiting: set[Task] = set()
        self._rests_until = float("-inf")

    def sweep(self) -> None:
        """Remove what a worker before this one left half-made, at the first call."""
        if not self._is_swept:
            sweep(self.paths, self.job)
            self._is_swept = True

    def waiting_tasks(self, now: float) -> list[Task]:
        """What is due and not in hand, after dropping the batches that nobody needs any more.

        Raises FramesLost where frames of the film are gone for good.
        """
        if left := [task for task in self._extras_left if task not in self.running]:
            return list(self._with_room(left)) if self._keep_free else left
        paths = self.paths
        folders = (paths.spool, paths.segments, paths.checkpoints, paths.made_folder)
        seen = tuple(map(modified, (*folders, self.paths.outputs)))
        if seen == self._seen and now < self._looked_at + LOOK_SECONDS:
            return []
        waiting = self._look(now)
        self._seen, self._looked_at = None if waiting or self.running else seen, now
        return waiting

    def _look(self, now: float) -> list[Task]:
        if FinishJob() in self.running:  # files change their places meanwhile
            return []
        if self.paths.moves.exists():
            if self.running:  # one of them may be doing the moves, others would lose their places
                return []
            finish_moves(self.paths)  # cut off by a disk that was away, say
        now_due = self._due()
        if now_due.lost:
            self._refuse_lost()
        drop_batches(self.paths, self.job, now_due.drop)
        waiting = [
            task
            for task in now_due.tasks()
            if not self._is_in_hand(task) and self._not_before.get(task, now) <= now
        ]
        self._extras_left = waiting if all(isinstance(each, MakeExtra) for each in waiting) else []
        return list(self._with_room(waiting)) if self._keep_free else list(waiting)

    def _due(self) -> Due:
        found = take_inventory(self.paths, self.job)
        self._published |= found.published
        moved = self._published - found.published
        found = replace(found, published=self._published, moved=moved)
        return due(self.job.plan, self._wanted, found)

    def _refuse_lost(self) -> None:
        """Raise FramesLost if frames still seem lost with the lock held: no rewind is on then."""
        with locked(self.paths):
            lost = self._due().lost
        if lost:
            raise FramesLost(tell_lost(self.paths, self.job.plan, lost))

    def _is_in_hand(self, task: Task) -> bool:
        """Whether the task is in hand, or another one that writes the same files."""
        if isinstance(task, CutTimecut):
            numbers = {each.number for each in self.running if isinstance(each, PublishTimecut)}
            return task in self.running or task.number in numbers
        return task in self.running

    def _with_room(self, tasks: Iterable[Task]) -> Iterator[Task]:
        """The tasks for which there is room together. Only extras need room for good."""
        coming = sum(map(self._extra_bytes, self.running))
        for task in tasks:
            size = self._extra_bytes(task)
            if not size or self._has_room(task, coming + size):
                coming += size
                yield task

    def _extra_bytes(self, task: Task) -> int:
        return extra_bytes(task.extra, self.job) if isinstance(task, MakeExtra) else 0

    def _has_room(self, task: Task, coming: int) -> bool:
        """Whether `coming` bytes leave enough free; a task that waits is logged once."""
        if free_bytes(self.paths.workspace.renders) - coming >= self._keep_free:
            return True
        if task not in self._logged_waiting:
            self._logged_waiting.add(task)
            log.warning("%s: %s: waits for room on the disk", self.paths.name, task)
        return False

    def perform(self, task: Task) -> None:
        """Do a task to its end; raises where it fails."""
        match task:
            case EncodeBatch(batch):
                encode_batch(self.paths, self.job, batch)
            case WriteImages(batch):
                write_images(self.paths, self.job, batch)
            case FindImages(batch):
                find_images(self.paths, self.job, batch)
            case PublishTimecut(number, segments):
                publish_timecut(self.paths, self.job, number, segments)
                show_timecut(self.paths, self.job, number)
            case CutTimecut(number):
                cut_timecut(self.paths, self.job, number)
            case JoinFilm(timecuts):
                join_film(self.paths, self.job, timecuts)
            case MakeExtra(extra):
                make_extra(self.paths, self.job, extra, self._stop)
            case FinishJob():
                look_for_moments(self.paths, self.job, self._stop)
                finish_job(self.paths, self.job)

    def ended(self, task: Task, error: BaseException | None, now: float) -> bool:
        """Take note of how a task that ran has ended; whether the job is to be given up."""
        self.running.discard(task)
        self._extras_left = [each for each in self._extras_left if each != task]
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
        elif isinstance(error, ChangedExtra):  # the film is there: it costs the job nothing else
            self._report(task, error, 1)
            self._not_before[task] = now + RETRY_SECONDS
            self._failures[MakeExtra(error.extra)] += 1
            if self._failures[MakeExtra(error.extra)] >= TRIES:
                self._give_up(error.extra)
        else:
            if isinstance(error, Damaged):
                self._extras_left = []  # what they are made of is made first
            self._failures[task] += 1
            tries = self._failures[task]
            self._report(task, error, tries)
            self._not_before[task] = now + RETRY_SECONDS * tries
            if tries >= TRIES and isinstance(task, MakeExtra):
                self._give_up(task.extra)
            is_over = tries >= TRIES or isinstance(error, FramesLost)
            return is_over and not isinstance(task, MakeExtra)
        return False

    def _give_up(self, extra: Extra) -> None:
        """Give up an extra, but not the job: its film is there."""
        with suppress(OSError):  # then it is tried once more
            note_given_up(self.paths, self.job, extra)

    def rest(self, error: BaseException, now: float) -> None:
        """Leave the job alone for a while: the disk is full or cannot be reached."""
        self._rests_until = now + ROOM_SECONDS
        self._tell_full(error)

    def rests(self, now: float) -> bool:
        """Whether the job is left alone now, after `rest`."""
        return now < self._rests_until

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
        if isinstance(error, Damaged):  # nobody's failure
            log.warning("%s: %s: %s", self.paths.name, task, error)
            return
        known = error.full_report() if isinstance(error, ProgramFailed) else error
        trace = None if isinstance(error, MultitrainError | OSError) else error
        log.error(
            "%s: %s failed, try %d of %d: %s",
            *(self.paths.name, task, tries, TRIES, known),
            exc_info=trace,
        )

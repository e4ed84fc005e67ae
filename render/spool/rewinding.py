"""Where a training can go on, according to its files. Nothing is changed here."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from jobs.errors import FramesLost
from jobs.plans.plan import FramePlan, FrameRange
from jobs.settings.words import start_over
from jobs.workspace.files import listing, part_of
from jobs.workspace.paths import JobPaths
from render.spool.notes import film_is_made


class Remains:
    """What is left of a job's frames, raw or encoded, when this is made.

    Frames in a timecut or in the film count, too: the render worker goes on from these.
    """

    def __init__(self, paths: JobPaths, plan: FramePlan) -> None:
        self._paths, self._plan = paths, plan
        self._spool, self._segments = set(listing(paths.spool)), set(listing(paths.segments))
        self._outputs = set(listing(paths.outputs))
        self._film_is_made = film_is_made(paths, plan)

    def are_all(self) -> bool:
        """Whether every frame of the job exists.

        Only timecuts before the first missing one count. So where a user has moved one away and no
        checkpoint lies behind it, frames from there on are made again.
        """
        total, published = self._plan.frames_total, published_until(self._paths, self._plan)
        return self._film_is_made or self._missing(published, total, self._is_encoded) is None

    def go_on_at(self, frame: int) -> int:
        """The first frame to write again, once training goes on from a checkpoint at `frame`.

        It is later than `frame` where more is published than the checkpoint covers. So it is where
        the raw frames of the batch around `frame` are gone, because that was rendered and covered
        by a checkpoint that is damaged by now. Raises FramesLost where earlier frames were lost.
        """
        start = max(frame, published_until(self._paths, self._plan))
        if start < self._plan.frames_total:
            batch = self._plan.batch_containing(start)
            if start > batch.start and not self._is_raw(batch, start) and self._is_rendered(batch):
                start = batch.stop
        missing = self._missing(0, start, self._is_rendered)
        if missing is not None:
            raise FramesLost(
                f"{self._paths.run}: frames {missing.start} to {min(missing.stop, start) - 1} were "
                f"lost; run it again with {start_over(self._paths.name)}"
            )
        return start

    def _missing(
        self, start: int, until: int, is_made: Callable[[FrameRange], bool]
    ) -> FrameRange | None:
        """The first batch from `start` on whose frames below `until` are neither raw nor made."""
        for batch in self._plan.batches():
            if batch.start >= until:
                break
            if batch.stop > start and not self._is_raw(batch, until) and not is_made(batch):
                return batch
        return None

    def _is_raw(self, batch: FrameRange, until: int) -> bool:
        path = self._paths.batch(batch)
        if path.name in self._spool:
            return True
        wanted = (until - batch.start) * self._plan.frame_bytes
        return until < batch.stop and size_of(part_of(path)) >= wanted

    def _is_rendered(self, batch: FrameRange) -> bool:
        return self._is_encoded(batch) or self._is_published(batch)

    def _is_encoded(self, batch: FrameRange) -> bool:
        segments = (each.name for each in self._paths.segments_of(batch, self._plan))
        marker = self._paths.image_marker(batch).name
        return marker in self._segments or self._segments.issuperset(segments)

    def _is_published(self, batch: FrameRange) -> bool:
        number = self._plan.cut_number(batch.start)
        timecuts = self._paths.timecut_names(number, self._plan)
        return self._film_is_made or self._outputs.issuperset(timecuts)


def published_until(paths: JobPaths, plan: FramePlan) -> int:
    """The frame that ends the unbroken run of published timecuts from number 1."""
    until = 0
    for number, cut in enumerate(plan.cuts, 1):
        if not all(video.exists() for video in paths.timecuts(number, plan)):
            break
        until = cut.stop
    return until


def size_of(path: Path) -> int:
    """The size of a file in bytes; 0 where there is none."""
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return 0

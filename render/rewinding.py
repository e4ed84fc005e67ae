"""Where a training can go on, by what lies on disk. Nothing is changed here."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from jobs.errors import FramesLost
from jobs.paths import JobPaths, listing, part_of
from jobs.plan import FramePlan, FrameRange


class Remains:
    """What is left of a job's frames, raw or encoded, at the time of asking."""

    def __init__(self, paths: JobPaths, plan: FramePlan) -> None:
        self._paths, self._plan = paths, plan
        self._spool, self._segments = set(listing(paths.spool)), set(listing(paths.segments))

    def are_all(self) -> bool:
        """Whether every frame of the job exists."""
        return self._missing(self._plan.frames_total) is None

    def go_on_at(self, frame: int) -> int:
        """Where frames are written again, once training goes on from a checkpoint at `frame`.

        Further on where more is published than the checkpoint covers, or where the raw frames of
        the batch around it are gone: encoded and covered by a checkpoint that is damaged by now.
        Raises FramesLost where frames before it were lost.
        """
        start = max(frame, published_until(self._paths, self._plan))
        if start < self._plan.frames_total:
            batch = self._plan.batch_containing(start)
            if start > batch.start and not self._is_raw(batch, start) and self._is_encoded(batch):
                start = batch.stop
        missing = self._missing(start)
        if missing is not None:
            raise FramesLost(
                f"{self._paths.run}: frames {missing.start} to {min(missing.stop, start) - 1} were "
                f"lost; run {self._paths.name} again with --fresh"
            )
        return start

    def _missing(self, until: int) -> FrameRange | None:
        """The first batch whose frames below `until` exist neither raw nor encoded."""
        for batch in self._plan.batches():
            if batch.start >= until:
                break
            if not self._is_raw(batch, until) and not self._is_encoded(batch):
                return batch
        return None

    def _is_raw(self, batch: FrameRange, until: int) -> bool:
        path = self._paths.batch(batch)
        if path.name in self._spool:
            return True
        wanted = (until - batch.start) * self._plan.frame_bytes
        return until < batch.stop and size_of(part_of(path)) >= wanted

    def _is_encoded(self, batch: FrameRange) -> bool:
        segments = (each.name for each in self._paths.segments_of(batch, self._plan))
        marker = self._paths.image_marker(batch).name
        return marker in self._segments or self._segments.issuperset(segments)


def published_until(paths: JobPaths, plan: FramePlan) -> int:
    """The frame that ends the unbroken run of published timecuts from number 1."""
    until = 0
    for number, cut in enumerate(plan.cuts, 1):
        if not all(video.exists() for video in paths.timecuts(number, plan)):
            break
        until = cut.stop
    return until


def size_of(path: Path) -> int:
    """Bytes; 0 where there is no such file."""
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return 0

"""Pure arithmetic of frames: how many there are, where batches, timecuts and boxes begin and end.

Every boundary is a function of the frame number alone, never of the clock, so that a film does not
depend on where its run was interrupted. Where a film is made longer or shorter than it was planned,
the boundaries of what is made already stay (`Stretch`).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

from jobs.plans.timing import Timing
from jobs.settings.colours import CHANNELS, RGB
from jobs.settings.spec import JobSpec
from jobs.settings.videos import MP4, VIDEOS

BATCH_FRAMES = 240  # at most: four seconds at 60 fps, so that a preview is never far behind
BATCH_BYTES = 128 * 2**20  # at most: several batches fit any reasonable spool budget

RANGE_PATTERN = re.compile(r"(\d{9,})-(\d{9,})")


@dataclass(frozen=True, order=True)
class FrameRange:
    """A half-open run of frame numbers; its text form names files: `000000000-000000120`."""

    start: int
    stop: int

    def __str__(self) -> str:
        return f"{self.start:09d}-{self.stop:09d}"

    def __len__(self) -> int:
        return self.stop - self.start

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The range that `text` spells, or None where it spells none."""
        match = RANGE_PATTERN.fullmatch(text)
        return cls(int(match[1]), int(match[2])) if match else None

    def split(self, longest: int) -> list[FrameRange]:
        """Even parts of at most `longest` frames; none of an empty range."""
        return [self._part(number, longest) for number in range(self._parts(longest))]

    def part_containing(self, frame: int, longest: int) -> FrameRange:
        """The one of `split(longest)` that holds `frame`, without making the others."""
        # The largest n with len * n // parts <= frame - start.
        behind = frame - self.start + 1
        return self._part((behind * self._parts(longest) - 1) // len(self), longest)

    def _parts(self, longest: int) -> int:
        return -(-len(self) // longest)

    def _part(self, number: int, longest: int) -> FrameRange:
        parts = self._parts(longest)
        start, stop = (self.start + len(self) * edge // parts for edge in (number, number + 1))
        return FrameRange(start, stop)


class Box(NamedTuple):
    """One of several videos that a grid is cut into: offset and size in pixels of the frame."""

    x: int
    y: int
    width: int
    height: int


class Resplit(NamedTuple):
    """Batches of a timecut up to frame `until` are those that it had when it ended at `planned`."""

    until: int
    planned: int


class Stretch(NamedTuple):
    """Timecuts that stay as earlier settings planned them, one after another.

    They begin where the stretch before ends, and each is `cut_frames` long, but the last, which
    ends at frame `stop`. `resplits` are the batches of that last one, where its end was moved while
    it was being made.
    """

    stop: int
    cut_frames: int
    resplits: tuple[Resplit, ...] = ()


@dataclass(frozen=True)
class FramePlan:
    """The frames of one job: `(frame_height, frame_width, channels)` uint8; sizes are pixels."""

    frame_width: int
    frame_height: int
    box_width: int
    box_height: int
    fps: int
    frames_total: int
    timing: Timing
    cut_frames: int
    channels: int = RGB  # or RGBA, not premultiplied
    suffix: str = MP4  # of its videos
    settled: tuple[Stretch, ...] = ()  # before the timecuts of `cut_frames`

    @classmethod
    def of(
        cls,
        spec: JobSpec,
        cell_width: int,
        cell_height: int,
        frames_total: int,
        settled: tuple[Stretch, ...] = (),
    ) -> Self:
        """The plan of a job whose cells are `cell_width` x `cell_height` pixels."""
        width, height = spec.grid_width * cell_width, spec.grid_height * cell_height
        box = spec.render_res
        return cls(
            frame_width=width,
            frame_height=height,
            box_width=box.width if box else width,
            box_height=box.height if box else height,
            fps=spec.fps,
            frames_total=frames_total,
            timing=Timing.of(spec),
            cut_frames=cut_frames(spec, frames_total),
            channels=CHANNELS[spec.colour_model].picture,
            suffix=VIDEOS[spec.format[0]].suffix,
            settled=settled,
        )

    @property
    def frame_bytes(self) -> int:
        return self.frame_width * self.frame_height * self.channels

    @property
    def steps_total(self) -> int:
        """Training steps: up to the one that makes the film's last frame.

        A frame that this step makes beyond the film's end is dropped.
        """
        return self.step_of(self.frames_total - 1) if self.frames_total else 0

    @property
    def batch_frames(self) -> int:
        """The most frames that one batch holds."""
        return max(1, min(BATCH_FRAMES, BATCH_BYTES // self.frame_bytes))

    @cached_property
    def boxes(self) -> tuple[Box, ...]:
        """The boxes row by row from the top left; the whole frame where none are asked for."""
        return tuple(
            Box(x, y, self.box_width, self.box_height)
            for y in range(0, self.frame_height, self.box_height)
            for x in range(0, self.frame_width, self.box_width)
        )

    @property
    def has_boxes(self) -> bool:
        return (self.box_width, self.box_height) != (self.frame_width, self.frame_height)

    @cached_property
    def box_numbers(self) -> tuple[int | None, ...]:
        """Numbers of the boxes in file names, from 1; a single None where the frame is not cut."""
        return tuple(range(1, len(self.boxes) + 1)) if self.has_boxes else (None,)

    @cached_property
    def cuts(self) -> tuple[FrameRange, ...]:
        """The timecuts in order; number 1 is the first."""
        cuts: list[FrameRange] = []
        begin = 0
        for stop, length, _ in (*self.settled, Stretch(self.frames_total, self.cut_frames)):
            starts = range(begin, stop, length)
            cuts += [FrameRange(start, min(start + length, stop)) for start in starts]
            begin = stop
        return tuple(cuts)

    def cut_containing(self, frame: int) -> FrameRange:
        return self.cuts[self.cut_number(frame) - 1]

    def cut_number(self, frame: int) -> int:
        """The number, from 1, of the timecut that holds `frame`."""
        return bisect_right(self._cut_starts, frame)

    def batches(self) -> Iterator[FrameRange]:
        """All batches in order. None crosses the end of a timecut."""
        for cut in self.cuts:
            yield from self.batches_of(cut)

    def batches_of(self, cut: FrameRange) -> list[FrameRange]:
        """The batches of one of the timecuts, in order."""
        return self._moved.get(cut.stop) or cut.split(self.batch_frames)

    def batch_containing(self, frame: int) -> FrameRange:
        cut = self.cut_containing(frame)
        moved = self._moved.get(cut.stop)
        if moved is None:
            return cut.part_containing(frame, self.batch_frames)
        return moved[bisect_right(moved, frame, key=lambda batch: batch.start) - 1]

    @cached_property
    def _cut_starts(self) -> list[int]:
        return [cut.start for cut in self.cuts]

    @cached_property
    def _moved(self) -> dict[int, list[FrameRange]]:
        """The batches of timecuts whose end was moved, by the frame where they end."""
        return {
            stretch.stop: self._resplit(self.cut_containing(stretch.stop - 1), stretch.resplits)
            for stretch in self.settled
            if stretch.resplits
        }

    def _resplit(self, cut: FrameRange, resplits: tuple[Resplit, ...]) -> list[FrameRange]:
        batches: list[FrameRange] = []
        start = cut.start
        for until, planned in resplits:
            before = FrameRange(start, planned).split(self.batch_frames)
            batches += [batch for batch in before if batch.stop <= until]
            start = until
        return batches + FrameRange(start, cut.stop).split(self.batch_frames)

    def frame_after(self, step: int) -> int:
        """Frames of the film that exist after `step` whole steps."""
        return min(self.timing.frames_by(step), self.frames_total)

    def step_of(self, frame: int) -> int:
        """The step, counted from 1, that makes `frame`."""
        return self.timing.step_of(frame)


def cut_frames(spec: JobSpec, frames_total: int) -> int:
    """Frames per timecut; all of them where the sheet asks for none."""
    if spec.auto_render_period is None:
        return frames_total
    return min(max(1, round(spec.auto_render_period * spec.fps)), frames_total)

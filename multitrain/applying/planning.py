"""Videos and pictures to be made of others, before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Self

from jobs.errors import UsageError
from jobs.pictures.finding import UnreadablePicture, probe
from jobs.settings.colours import RGB, RGBA
from jobs.settings.kinds import Resolution
from jobs.settings.videos import FormatName
from multitrain.applying.asked import Asked
from multitrain.applying.course import Course
from multitrain.applying.spacing import Spacing
from multitrain.applying.steadying import frames_to_warm, share_of_frame
from multitrain.inference.blocks import BLOCK_BYTES, frames_at_once
from render.clips.pieces import Pieces
from render.encoding.containers import Rate
from render.encoding.formats import Quality, keeps_depth
from render.encoding.streaming import FINE, RawVideo
from render.files.film import Film
from render.files.sound import Beside

REMEMBERED = 15  # frames that a network which remembers is shown before a loop begins
PIECE_SECONDS = 1  # of a video: what a kill costs, and what is encoded when all frames are made


class Picture(NamedTuple):
    """A picture to be made of the one in a file.

    `number` is its place among all; `size` is that which the network sees; the `note` is kept in
    its file.
    """

    number: int
    source: Path
    output: Path
    note: str
    size: Resolution

    @classmethod
    def of(cls, asked: Asked, number: int, source: Path, output: Path, note: str) -> Self:
        """UnreadablePicture where the file is none, or nothing for the network."""
        if asked.is_between:
            name = asked.job.spec.name
            raise UnreadablePicture(f"is no video, and {name} makes frames between those of one")
        size = asked.scale or probe(source)
        if min(size) < (least := asked.least_side):
            raise UnreadablePicture(f"is {size}, and the network takes {least} pixels a side")
        return cls(number, source, output, note, size)


@dataclass(frozen=True)
class VideoPlan:
    """The video that is `asked` for, of a film, in the format `name`; `folder` is for pieces.

    `quality` is for formats that have none of their own; None: as the job's sheet has it. Frames
    lie among those of the film as the `spacing` says; None: each is made of one.

    Blocks of frames that the network makes at once never cross the pieces: so no frame depends on
    where a call was killed.
    """

    asked: Asked
    course: Course
    film: Film
    beside: Beside
    name: FormatName
    folder: Path
    quality: Quality | None = None
    spacing: Spacing | None = None

    @classmethod
    def of(
        cls,
        asked: Asked,
        course: Course,
        film: Film,
        name: FormatName,
        folder: Path,
        quality: Quality | None = None,
    ) -> Self:
        """UsageError where the frames are too small, or too many for what is asked."""
        _refuse_small(asked, film)
        beside, spacing = Beside.look(film), asked.spacing(film)
        if spacing:  # a time code counts frames
            beside = replace(beside, timecode=None)
        return cls(asked, course, film, beside, name, folder, quality, spacing)

    @classmethod
    def of_loop(
        cls, asked: Asked, course: Course, film: Film, name: FormatName, folder: Path, fps: int
    ) -> Self:
        """That of a loop by a network between frames: all of the course's, of those of the film."""
        _refuse_small(asked, film)
        times = Fraction(course.frames, film.frames)
        spacing = Spacing(film.frames, course.frames, times, Fraction(fps), closed=True)
        return cls(asked, course, film, Beside.look(film), name, folder, FINE, spacing)

    @property
    def frames(self) -> int:
        """Of the video."""
        return self.spacing.made if self.spacing else self.film.frames

    @property
    def fps(self) -> Rate:
        rate = self.spacing.fps if self.spacing else self.film.format.fps
        return int(rate) if rate.denominator == 1 else rate

    @property
    def size(self) -> Resolution:
        """Of the frames that the network sees."""
        return self.asked.scale or self.film.size

    @property
    def made_size(self) -> Resolution:
        """Of the frames that it makes."""
        return self.asked.made_of(self.size)

    @cached_property
    def raw(self) -> RawVideo:
        channels = self.asked.channels_of(RGBA if self.film.has_alpha else RGB)
        # Pictures with alpha are resized in 8 bits, their colours weighted by it.
        is_resized = self.film.has_alpha and self.asked.scale
        is_deep = self.film.is_deep and keeps_depth(self.name) and not is_resized
        return RawVideo(*self.made_size, channels, self.fps, is_deep=is_deep)

    @property
    def share(self) -> float | None:
        """How much of a frame's own statistics is mixed in; None: nothing is smoothed."""
        return share_of_frame(self.asked.steady, float(self.fps)) if self.asked.steady else None

    @property
    def remembers(self) -> bool:
        """Whether the network goes on from frame to frame, and sees the next one."""
        return self.asked.remembers

    @property
    def goes_on(self) -> bool:
        """Whether a frame depends on those before."""
        return self.remembers or self.share is not None

    def after(self, number: int) -> int:
        """The frame that follows on one."""
        last = self.film.frames - 1
        return (number + 1) % (last + 1) if self.asked.closed else min(number + 1, last)

    def seen(self, first: int, stop: int) -> list[int]:
        """The frames of the film that the network is shown for those from `first` on."""
        if self.spacing:
            return [number % self.film.frames for number in self.spacing.around(first, stop)]
        last = self.film.frames - 1
        numbers = [min(number, last) for number in range(first, stop)]
        return [*numbers, *([self.after(stop - 1)] if self.remembers else [])]

    @property
    def before_the_first(self) -> list[int]:
        """The frames that are seen before the first one, so that a loop still closes.

        A short one is seen more than once.
        """
        if not self.goes_on or not self.asked.closed:
            return []
        count = frames_to_warm(self.asked.steady, float(self.fps)) if self.asked.steady else 0
        if self.remembers:
            count = max(count, REMEMBERED)
        return [number % self.film.frames for number in range(-count, 0)]

    @cached_property
    def block(self) -> int:
        """Frames that the network makes at once."""
        layers = self.asked.layers(self.asked.tiling(self.size).tile)
        most = max(1, min(self.frames, round(PIECE_SECONDS * self.fps)))
        return frames_at_once(layers, 1, self.raw.frame_bytes, most)

    @cached_property
    def pieces(self) -> Pieces:
        """What the video is made of: whole blocks."""
        blocks = max(1, round(PIECE_SECONDS * self.fps / self.block))
        length = blocks * self.block
        spec = self.asked.job.spec
        quality = self.quality or Quality(spec.crf, spec.preset)
        return Pieces(self.folder, self.name, self.raw, self.frames, length, self.beside, quality)

    @property
    def blocks_ahead(self) -> int:
        """Blocks of frames that may wait to be written."""
        return max(2, BLOCK_BYTES // (self.block * self.raw.frame_bytes))


def _refuse_small(asked: Asked, film: Film) -> None:
    size = asked.scale or film.size
    if min(size) < asked.least_side:
        raise UsageError(
            f"{film.path} is {size}, and {asked.job.spec.name} takes {asked.least_side} pixels a "
            "side"
        )

"""Videos and pictures to be made of others, before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Self

from jobs.errors import UsageError
from jobs.families.table import family_of
from jobs.settings.colours import RGB, RGBA
from jobs.settings.kinds import Resolution
from jobs.settings.videos import FormatName
from multitrain.applying.asked import Asked
from multitrain.applying.course import Course
from multitrain.inference.blocks import BLOCK_BYTES, frames_at_once
from render.clips.pieces import Pieces
from render.encoding.containers import Rate
from render.encoding.formats import keeps_depth
from render.encoding.streaming import RawVideo
from render.files.film import Film
from render.files.sound import Beside

PIECE_SECONDS = 1  # of a video: what a kill costs, and what is encoded when all frames are made


class Picture(NamedTuple):
    """A picture to be made of the one in a file.

    `number` is its place among all; the `note` is kept in its file.
    """

    number: int
    source: Path
    output: Path
    note: str


@dataclass(frozen=True)
class VideoPlan:
    """The video that is `asked` for, of a film, in the format `name`; `folder` is for pieces.

    Blocks of frames that the network makes at once never cross the pieces: so no frame depends on
    where a call was killed.
    """

    asked: Asked
    course: Course
    film: Film
    beside: Beside
    name: FormatName
    folder: Path

    @classmethod
    def of(cls, asked: Asked, course: Course, film: Film, name: FormatName, folder: Path) -> Self:
        """UsageError where the frames are too small."""
        size = asked.scale or film.size
        if min(size) < asked.least_side:
            raise UsageError(
                f"{film.path} is {size}, and {asked.job.spec.name} takes "
                f"{asked.least_side} pixels a side"
            )
        return cls(asked, course, film, Beside.look(film), name, folder)

    @property
    def fps(self) -> Rate:
        rate = self.film.format.fps
        return int(rate) if rate.denominator == 1 else rate

    @property
    def size(self) -> Resolution:
        """Of its frames, and of those that the network sees."""
        return self.asked.scale or self.film.size

    @cached_property
    def raw(self) -> RawVideo:
        channels = self.asked.channels_of(RGBA if self.film.has_alpha else RGB)
        # Pictures with alpha are resized in 8 bits, their colours weighted by it.
        is_resized = self.film.has_alpha and self.asked.scale
        is_deep = self.film.is_deep and keeps_depth(self.name) and not is_resized
        return RawVideo(*self.size, channels, self.fps, is_deep=is_deep)

    @cached_property
    def block(self) -> int:
        """Frames that the network makes at once."""
        spec = self.asked.fixed
        layers = family_of(spec).layers(spec, *self.size)[self.asked.network]
        most = max(1, min(self.film.frames, round(PIECE_SECONDS * self.fps)))
        return frames_at_once(layers, 1, self.raw.frame_bytes, most)

    @cached_property
    def pieces(self) -> Pieces:
        """What the video is made of: whole blocks."""
        blocks = max(1, round(PIECE_SECONDS * self.fps / self.block))
        length = blocks * self.block
        return Pieces(self.folder, self.name, self.raw, self.film.frames, length, self.beside)

    @property
    def blocks_ahead(self) -> int:
        """Blocks of frames that may wait to be written."""
        return max(2, BLOCK_BYTES // (self.block * self.raw.frame_bytes))

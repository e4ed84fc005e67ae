"""What is cut out of a picture, and how large it becomes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from PIL import Image

from jobs.errors import UsageError
from jobs.settings.kinds import LARGEST_SIDE, Resolution
from jobs.settings.preprocess import NO_SIDES, Sides, Unfit
from multitrain.datasets.filmed.frames import Still

SQUARES = {"left": 0.0, "center": 0.5, "right": 1.0}  # where the square lies along the longer side
WHOLE = "none"
_AREA = re.compile(r"(\d{1,5})x(\d{1,5})\+(\d{1,5})\+(\d{1,5})")
_SCALE = re.compile(r"(-?\d{1,5}):(-?\d{1,5})")


class Box(NamedTuple):
    """Pixels of a picture, the right and lower ends excluded."""

    left: int
    upper: int
    right: int
    lower: int

    @property
    def size(self) -> Resolution:
        return Resolution(self.right - self.left, self.lower - self.upper)


@dataclass(frozen=True)
class Crop:
    """A square at a place along the longer side, an area, or (with neither) the whole picture."""

    name: str  # ends the names of files; empty where there is but one crop
    square: float | None = None
    area: Box | None = None
    shave: Sides = NO_SIDES  # of the picture, first

    def box(self, size: Resolution) -> Box:
        """The pixels to cut of such a picture. UsageError where the area does not lie in it."""
        try:
            shaved = Box(*self.shave.within(size))
        except Unfit as error:
            raise UsageError(f"the picture {error}") from None
        box = self._within(shaved.size)
        left, upper = shaved.left, shaved.upper
        return Box(box.left + left, box.upper + upper, box.right + left, box.lower + upper)

    def _within(self, size: Resolution) -> Box:
        if self.area:
            if self.area.right > size.width or self.area.lower > size.height:
                wanted = self.area.size
                raise UsageError(
                    f"the crop {wanted}+{self.area.left}+{self.area.upper} does not lie in a "
                    f"picture of {size}"
                )
            return self.area
        if self.square is None:
            return Box(0, 0, *size)
        side = min(size)
        left = int((size.width - side) * self.square)
        upper = int((size.height - side) * self.square)
        return Box(left, upper, left + side, upper + side)


@dataclass(frozen=True)
class Scale:
    """The size of a picture in the form of FFmpeg's filter `scale`.

    Pixels, or -n for what keeps the proportion, in multiples of n. Both None: as it is.
    """

    width: int | None = None
    height: int | None = None

    def size(self, given: Resolution) -> Resolution:
        if self.width is None or self.height is None:
            return given
        width, height = self.width, self.height
        if width < 0:
            width = _multiple(height * given.width / given.height, -width)
        elif height < 0:
            height = _multiple(width * given.height / given.width, -height)
        return Resolution(width, height)


def _multiple(pixels: float, of: int) -> int:
    return max(1, round(pixels / of)) * of


def parse_crops(text: str, shave: Sides = NO_SIDES) -> tuple[Crop, ...]:
    """`left,right`, `center`, `none`, `WIDTHxHEIGHT+X+Y`; UsageError for others.

    They lie in what `shave` leaves of a picture.
    """
    words = list(dict.fromkeys(word.strip() for word in text.split(",")))
    named = (_parse_crop(word, f"_{word}" if len(words) > 1 else "") for word in words)
    crops = tuple(replace(crop, shave=shave) for crop in named)
    if len(crops) > 1 and any(each.square is None for each in crops):
        raise UsageError(f"--crop: several crops are squares ({', '.join(SQUARES)}), not {text!r}")
    return crops


def _parse_crop(word: str, name: str) -> Crop:
    if word == WHOLE:
        return Crop(name)
    if word in SQUARES:
        return Crop(name, square=SQUARES[word])
    if match := _AREA.fullmatch(word):
        width, height, left, upper = map(int, match.groups())
        if width and height:
            return Crop(name, area=Box(left, upper, left + width, upper + height))
    known = ", ".join([*SQUARES, WHOLE])
    raise UsageError(f"--crop: must be of {known}, or an area such as 640x480+0+0, not {word!r}")


def parse_scale(text: str) -> Scale:
    """`-1:256`, `256:256`, `none`; UsageError for others."""
    if text.strip() == WHOLE:
        return Scale()
    match = _SCALE.fullmatch(text.strip())
    sides = [int(side) for side in match.groups()] if match else []
    if not sides or max(sides) < 1 or 0 in sides or max(sides) > LARGEST_SIDE:
        raise UsageError(
            f"--scale: must be WIDTH:HEIGHT in pixels, one of which may be -1 to keep the "
            f"proportion, or none, not {text!r}"
        )
    return Scale(*sides)


def cut(still: Still, crops: Sequence[Crop], scale: Scale) -> list[tuple[Crop, Image.Image]]:
    """A picture for each crop, in one step from the pixels as they are to those that are wanted.

    Crops that are the same in this picture, such as both ends of a square one, are cut once.
    UsageError where one does not lie in it.
    """
    boxes: dict[Box, Crop] = {}
    for crop in crops:
        boxes.setdefault(crop.box(still.seen), crop)
    across = still.image.width / still.seen.width
    down = still.image.height / still.seen.height
    cuts = []
    for box, crop in boxes.items():
        stored = (box.left * across, box.upper * down, box.right * across, box.lower * down)
        picture = still.image.resize(scale.size(box.size), Image.Resampling.LANCZOS, box=stored)
        cuts.append((crop, picture))
    return cuts

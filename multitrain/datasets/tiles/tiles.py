"""Where the tiles of a picture lie, and the names of their files. Pure.

A tile is named after all that it takes to lay it back: the picture it is of, that picture's size,
where it lies there, and its border.

    frame_0001_1920x1080_y00060_x00240_b2.png
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import NamedTuple, Self

from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import Sides

LONGEST_FILE_NAME = 255  # bytes, on nearly every file system
_KEY_BYTES = 4
_FILE_NAME = re.compile(
    r"(?P<picture>.+)_(?P<width>\d{1,6})x(?P<height>\d{1,6})"
    r"_y(?P<y>\d{5,6})_x(?P<x>\d{5,6})_b(?P<border>\d{1,4})(?P<shuffled>_s)?\.png",
    re.DOTALL,
)

Corner = tuple[int, int]  # x, y: of a tile without its border, in the whole picture


@dataclass(frozen=True)
class TileGrid:
    """Tiles that lie side by side in what is left of a picture, each with a border around it.

    With C columns and R rows of whole tiles from the top left, there are so many tiles (none where
    a factor is negative):

        edges  jitter  tiles
        no     no      (R-1)(C-1), shifted by half a tile both ways
        no     yes     those, and the (R-2)(C-2) inner ones of the others
        yes    no      R C
        yes    yes     R C + (R-1)(C-1)
    """

    tile: Resolution
    border: int
    edges: bool
    jitter: bool
    trim: Sides

    @property
    def size(self) -> Resolution:
        """The size of a tile with its border."""
        return Resolution(self.tile.width + 2 * self.border, self.tile.height + 2 * self.border)

    def trimmed(self, picture: Resolution) -> tuple[int, int, int, int]:
        """What is left of a picture: left, top, right, bottom."""
        left, right, top, bottom = self.trim
        return left, top, max(left, picture.width - right), max(top, picture.height - bottom)

    def corners(self, picture: Resolution) -> tuple[list[Corner], list[Corner]]:
        """The tiles row by row, and those that `jitter` adds."""
        left, top, right, bottom = self.trimmed(picture)
        columns, rows = (right - left) // self.tile.width, (bottom - top) // self.tile.height
        half = Resolution(self.tile.width // 2, self.tile.height // 2)
        shifted = self._laid(left + half.width, top + half.height, columns - 1, rows - 1)
        if self.edges:
            straight, jittered = self._laid(left, top, columns, rows), shifted
        else:
            inner_left, inner_top = left + self.tile.width, top + self.tile.height
            straight = shifted
            jittered = self._laid(inner_left, inner_top, columns - 2, rows - 2)
        return straight, jittered if self.jitter else []

    def _laid(self, left: int, top: int, columns: int, rows: int) -> list[Corner]:
        width, height = self.tile
        return [(left + x * width, top + y * height) for y in range(rows) for x in range(columns)]


class TileName(NamedTuple):
    """What the name of a tile's file says; `picture` is a path without suffix."""

    picture: PurePath
    size: Resolution  # of the picture
    corner: Corner
    border: int

    def path(self, seed: int | None = None) -> PurePath:
        """The path of the file below its data set.

        With a `seed`, the names in a folder sort at random.
        """
        (width, height), (x, y) = self.size, self.corner
        name = f"{self.picture.name}_{width}x{height}_y{y:05d}_x{x:05d}_b{self.border}"
        if seed is not None:
            seeded = os.fsencode(f"{seed}/{self.picture.parent / name}")
            key = hashlib.blake2b(seeded, digest_size=_KEY_BYTES).hexdigest()
            name = f"{key}_{name}_s"
        return self.picture.with_name(f"{name}.png")

    @classmethod
    def parse(cls, path: PurePath) -> Self | None:
        """What `path` says; None where it is not the name of a tile."""
        if not (match := _FILE_NAME.fullmatch(path.name)):
            return None
        picture = match["picture"]
        if match["shuffled"]:
            picture = picture[2 * _KEY_BYTES + 1 :]
        if picture in ("", ".", ".."):
            return None
        size = Resolution(int(match["width"]), int(match["height"]))
        corner = int(match["x"]), int(match["y"])
        return cls(path.with_name(picture), size, corner, int(match["border"]))


def fits_a_file_system(path: PurePath) -> bool:
    """Whether its name is not too long."""
    return len(os.fsencode(path.name)) <= LONGEST_FILE_NAME

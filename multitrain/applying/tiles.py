"""Large pictures made tile by tile: which parts a network is shown, and what of them is kept. Pure.

All tiles have one size, so that a network is compiled once. They overlap: what is kept of one lies
as far from its inner edges as the network sees, so that it comes out as if the picture were whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from jobs.families.padding import padded
from jobs.settings.kinds import Resolution

Pictures = NDArray[Any]  # (n, height, width, channels)

PRACTICAL = 64  # pixels: networks that see farther are given `ENOUGH`
ENOUGH = 32  # of a deep network, what is farther away hardly counts


class Span(NamedTuple):
    """Where a tile begins on an axis, and which pixels of the picture are taken from it."""

    start: int
    first: int
    stop: int

    def kept(self, times: int, origin: int = 0) -> slice:
        """These pixels in what is made `times` as large, of what begins at the `origin`."""
        return slice((self.first - origin) * times, (self.stop - origin) * times)


@dataclass(frozen=True)
class Tiling:
    """Pictures of `size`, `beyond` whose edges they are reflected until they are `whole`.

    `margin` is how many pixels are left out at the inner edges of tiles, each of which is as large
    as `tile`.
    """

    size: Resolution
    whole: Resolution
    tile: Resolution
    margin: int

    @classmethod
    def of(cls, size: Resolution, reach: int, halvings: int, most: int) -> Self:
        """Tiles of at most about so many pixels, for a network that sees `reach` pixels around one.

        One that halves pictures so often has tiles that begin where a pixel of its smallest map
        does.
        """
        margin = reach if reach <= PRACTICAL else ENOUGH
        step = 1 << halvings
        margin = -(-margin // step) * step
        whole = padded(*size, halvings)
        counts = [1, 1]
        while True:
            sides = [
                _side(side, count, margin, step) for side, count in zip(whole, counts, strict=True)
            ]
            # A tile of hardly more than its margins would cost more than it saves.
            splittable = [axis for axis in (0, 1) if sides[axis] > 6 * margin + step]
            if sides[0] * sides[1] <= most or not splittable:
                is_one = counts == [1, 1]
                return cls.none(size) if is_one else cls(size, whole, Resolution(*sides), margin)
            counts[max(splittable, key=lambda axis: sides[axis])] += 1

    @classmethod
    def none(cls, size: Resolution) -> Self:
        """One tile, which a network pads by itself where it must."""
        return cls(size, size, size, 0)

    @property
    def is_whole(self) -> bool:
        return self.tile == self.size

    @property
    def count(self) -> int:
        return len(self._rows) * len(self._columns)

    def made(self, pictures: Pictures, make: Callable[[Pictures], Pictures]) -> Pictures:
        """What `make` makes of all tiles of the pictures, put together."""
        if self.is_whole:
            return make(pictures)
        missing = [a - b for a, b in zip(self.whole, self.size, strict=True)]
        left, top = (each // 2 for each in missing)
        beyond = ((0, 0), (top, missing[1] - top), (left, missing[0] - left), (0, 0))
        pictures = np.pad(pictures, beyond, "reflect") if any(missing) else pictures
        whole: Pictures | None = None
        for rows, columns in product(self._rows, self._columns):
            part = pictures[
                :,
                rows.start : rows.start + self.tile.height,
                columns.start : columns.start + self.tile.width,
            ]
            done = make(part)
            times = done.shape[1] // part.shape[1]
            if whole is None:
                sides = self.whole.height * times, self.whole.width * times
                whole = np.empty((len(done), *sides, done.shape[-1]), done.dtype)
            whole[:, rows.kept(times), columns.kept(times)] = done[
                :, rows.kept(times, rows.start), columns.kept(times, columns.start)
            ]
        assert whole is not None, "there is a tile"
        rows_within = slice(top * times, (top + self.size.height) * times)
        return whole[:, rows_within, left * times : (left + self.size.width) * times]

    @property
    def _rows(self) -> list[Span]:
        return _spans(self.whole.height, self.tile.height, self.margin)

    @property
    def _columns(self) -> list[Span]:
        return _spans(self.whole.width, self.tile.width, self.margin)


def _side(side: int, count: int, margin: int, step: int) -> int:
    """The side of so many tiles that cover one."""
    needed = -(-(side + 2 * margin * (count - 1)) // count)
    return min(side, -(-needed // step) * step)


def _spans(side: int, tile: int, margin: int) -> list[Span]:
    last = side - tile
    starts = [*range(0, last, max(1, tile - 2 * margin)), last]
    edges = [0, *(start + margin for start in starts[1:]), side]
    return [Span(*each) for each in zip(starts, edges, edges[1:], strict=False)]

"""Feeds whose pictures are there: NumPy and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.families.feed import PICTURES, Feed
from jobs.settings.kinds import Resolution
from multitrain.engine.session import Frames

Numbers = NDArray[np.int32]


@dataclass(frozen=True)
class OpenFeed:
    """A feed's pictures, `(m, height, width, channels)` uint8, and the items that are drawn.

    - numbers: `(items, frames)`: the pictures of each item; None: each picture is one.
    - counts: items of each folder, where folders have weights.
    - runs: of a feed that goes on, `(items,)`: the first of the items that each follows on.
    """

    feed: Feed
    pictures: Frames
    numbers: Numbers | None = None
    counts: tuple[int, ...] = ()
    runs: Numbers | None = None

    @property
    def items(self) -> int:
        return len(self.pictures if self.numbers is None else self.numbers)

    @property
    def frames(self) -> int:
        """Pictures of an item."""
        return 1 if self.numbers is None else self.numbers.shape[1]

    def numbers_of(self, items: NDArray[np.integer]) -> NDArray[np.integer]:
        """The pictures of these items `(n,)`: `(n,)`, or of clips `(n, frames)`."""
        if self.numbers is None:
            return items
        each: NDArray[np.integer] = self.numbers[items]
        return each if self.frames > 1 else each[:, 0]

    @property
    def size(self) -> Resolution:
        height, width = self.pictures.shape[1:3]
        return Resolution(width, height)


Feeds = Mapping[str, OpenFeed]


def only(pictures: Frames) -> Feeds:
    """The feeds of a family that is trained on one data set, of one folder."""
    return {PICTURES: OpenFeed(Feed(PICTURES, ()), pictures)}


def clips(
    runs: list[int], frames: int, *, go_on: bool
) -> tuple[Numbers, tuple[int, ...], Numbers | None]:
    """Clips of `frames` consecutive pictures out of runs of so many pictures, one after another.

    Returns their numbers `(items, frames)`, how many clips each run has, and, where clips `go_on`,
    the first of those that each follows on. Those have no picture in common; others begin at every
    picture.
    """
    starts: list[NDArray[Any]] = []
    begin = 0
    for length in runs:
        possible = np.arange(begin, begin + max(0, length - frames + 1))
        starts.append(possible[::frames] if go_on else possible)
        begin += length
    counts = tuple(map(len, starts))
    numbers = np.concatenate([np.empty(0, np.int64), *starts])[:, None] + np.arange(frames)
    firsts = np.cumsum((0, *counts))[:-1].repeat(counts) if go_on else None
    return numbers.astype(np.int32), counts, None if firsts is None else firsts.astype(np.int32)

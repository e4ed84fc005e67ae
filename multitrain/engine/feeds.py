"""Feeds whose pictures are there, and which of them are drawn together: NumPy and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.errors import MultitrainError
from jobs.families.feed import PICTURES, Feed
from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import Preprocessing
from multitrain.engine.mixture import Mixture
from multitrain.engine.session import Frames
from multitrain.engine.windows import Window

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

    @property
    def size(self) -> Resolution:
        height, width = self.pictures.shape[1:3]
        return Resolution(width, height)


Feeds = Mapping[str, OpenFeed]


def only(pictures: Frames) -> Feeds:
    """The feeds of a family that is trained on one data set, of one folder."""
    return {PICTURES: OpenFeed(Feed(PICTURES, ()), pictures)}


@dataclass(frozen=True)
class Group:
    """Feeds that are drawn together: the first, and those that are pairs of it.

    `window` is the part that a step sees of the smallest one's pictures, and so of all; None: all.
    """

    feeds: tuple[OpenFeed, ...]
    mixture: Mixture
    window: Window | None

    @property
    def name(self) -> str:
        return self.feeds[0].feed.name

    @property
    def items(self) -> int:
        return self.feeds[0].items

    @property
    def runs(self) -> Numbers | None:
        """Of a group that goes on: the first of the items that each follows on."""
        return self.feeds[0].runs

    @cached_property
    def smallest(self) -> int:
        """The factor of the feed whose pictures are the smallest."""
        return max(each.feed.factor for each in self.feeds)

    def scale(self, of: OpenFeed) -> int:
        """How many times larger than the smallest pictures those `of` a feed are."""
        return self.smallest // of.feed.factor

    def first_items(self, batch: int) -> NDArray[np.int64]:
        """Of a group that goes on, the item at each of the `batch` places of the first batch."""
        return np.arange(batch) * self.items // batch

    def shown(self, of: OpenFeed, cells: int) -> Frames:
        """Pictures for `cells` cells of frames, evenly spread over all items: their middle parts.

        `(cells, height, width, channels)`, of clips `(cells, frames, height, width, channels)`.
        """
        items = np.arange(cells) * self.items // cells
        pictures = of.pictures[items if of.numbers is None else of.numbers[items]]
        if self.window is None:
            return pictures
        top, left = self.window.middle(self.scale(of))
        seen = self.window.seen(self.scale(of))
        return pictures[..., top : top + seen.height, left : left + seen.width, :]


def groups_of(feeds: Feeds, preprocessing: Preprocessing) -> tuple[Group, ...]:
    """Feeds by what is drawn together.

    Raises MultitrainError where pictures of a pair do not go together.
    """
    made = []
    for first in feeds.values():
        if first.feed.pair_of is not None:
            continue
        pairs = [each for each in feeds.values() if each.feed.pair_of == first.feed.name]
        for each in pairs:
            _require_pair(first, each)
        mixture = Mixture.of(first.feed.weights, first.counts, first.items)
        smallest = max([first, *pairs], key=lambda each: each.feed.factor)
        window = Window.of(_smaller(preprocessing, smallest.feed.factor), smallest.size)
        made.append(Group((first, *pairs), mixture, window))
    return tuple(made)


def _require_pair(first: OpenFeed, other: OpenFeed) -> None:
    factor, names = other.feed.factor, f"{other.feed.name} and {first.feed.name}"
    if other.items != first.items or other.frames != first.frames:
        raise MultitrainError(f"{names} are pairs, and there are {other.items} and {first.items}")
    if (other.size.width * factor, other.size.height * factor) != tuple(first.size):
        raise MultitrainError(
            f"{names} are pairs, of {other.size} and {first.size} pixels, and the first must be "
            f"{factor} times smaller"
        )


def _smaller(preprocessing: Preprocessing, factor: int) -> Preprocessing:
    if preprocessing.crop is None or factor == 1:
        return preprocessing
    width, height = (side / factor for side in preprocessing.crop)
    if not (width.is_integer() and height.is_integer()):
        raise MultitrainError(
            f"crop_size: {preprocessing.crop} cannot be cut out of pictures {factor} times "
            f"smaller; choose multiples of {factor}"
        )
    return Preprocessing((), Resolution(int(width), int(height)), preprocessing.flip)


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

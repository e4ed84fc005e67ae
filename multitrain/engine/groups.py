"""Feeds that are drawn together, and the part of their pictures that a step sees."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.errors import MultitrainError
from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import Preprocessing
from multitrain.diagnosis.memory import memory_watched
from multitrain.engine.device_memory import fits
from multitrain.engine.feeds import Feeds, Numbers, OpenFeed
from multitrain.engine.mixture import Mixture
from multitrain.engine.model import Measuring, Shown
from multitrain.engine.session import Frames
from multitrain.engine.windows import Window

log = logging.getLogger(__name__)


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
    def is_drawn(self) -> bool:
        """Whether steps are given it; else frames alone show it."""
        return self.feeds[0].feed.is_drawn

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

    def batches(self, drawn: Mapping[str, int]) -> int:
        """How many batches of the group a step draws that draws so many of each feed."""
        return max(drawn[each.feed.name] for each in self.feeds)

    def in_order(self, numbers: Any, batch: int, detours: Any) -> tuple[Any, Any]:
        """Items of a group that goes on, and the laps over all items that they are in.

        Both `(batches, batch)`, for batches of these `numbers`. Each detour moves all places on by
        one item.
        """
        places = numbers[:, None] + np.arange(batch) * self.items // batch + detours
        return places % self.items, places // self.items

    def newest(self, numbers: Any, batch: int, batches: int, detours: Any) -> Any:
        """Items of a stream, `(n, batch)`, for batches of these `numbers`, `batches` in each step.

        The first one is that of the step, the others come before it, each of the `latest` in its
        turn, which each detour moves on. Behind the last item comes the first again.
        """
        before = self.feeds[0].feed.latest - 1
        is_older = np.minimum(np.arange(batch), 1)
        spread = np.maximum(np.arange(batch) - 1, 0) * before // max(1, batch - 1)
        ages = is_older * (1 + (numbers[:, None] + spread + detours) % before)
        return (numbers[:, None] // batches - ages) % self.items

    def shown(self, of: OpenFeed, cells: int | None) -> Frames:
        """Pictures for `cells` cells of frames, evenly spread over all items: their middle parts.

        `(cells, height, width, channels)`, of clips `(cells, frames, height, width, channels)`.
        None: those of all items.
        """
        count = self.items if cells is None else cells
        items = np.arange(count) * self.items // count
        pictures: Frames = of.pictures[of.numbers_of(items)]
        if self.window is None:
            return pictures
        top, left = self.window.middle(self.scale(of))
        seen = self.window.seen(self.scale(of))
        return pictures[..., top : top + seen.height, left : left + seen.width, :]


def placed(groups: Sequence[Group], room: int | None, wanted: bool | None) -> frozenset[str]:
    """The feeds that have their place on the device; the others are read meanwhile.

    They are `wanted` there or not; None: those that fit one after the other into `room` bytes.
    """
    taken, names = 0, []
    for each in (feed for group in groups for feed in group.feeds):
        name, size = each.feed.name, each.pictures.nbytes
        if each.feed.is_live:
            continue
        if fits(taken + size, room) if wanted is None else wanted:
            taken += size
            names.append(name)
        else:
            log.info("%s: too many for the device; they are read meanwhile", name)
    return frozenset(names)


def shown_pictures(groups: Sequence[Group], shown: Shown, cells: int) -> dict[str, Frames]:
    """What frames of so many cells show of feeds, by their names."""
    return {
        each.feed.name: group.shown(each, None if shown.of_all else cells)
        for group in groups
        for each in group.feeds
        if each.feed.name in shown.pictures
    }


def measured_pictures(groups: Sequence[Group], measured: Measuring | None) -> Mapping[str, Frames]:
    """Those that networks are measured by: their middle parts, by feed; none: they are not."""
    return {
        each.feed.name: group.shown(each, None)
        for group in groups
        for each in group.feeds
        if measured and each.feed.name in measured.feeds
    }


def mean_measures(
    measured: Measuring,
    pictures: Mapping[str, Frames],
    measure: Callable[[Mapping[str, Frames]], NDArray[np.floating]],
    is_wanted: Callable[[], bool],
) -> dict[str, float]:
    """The mean of each measure over the pictures, one after the other; none where it `is_wanted` no
    more.
    """
    each = []
    for number in range(len(pictures[measured.feeds[0]])):
        if not is_wanted():
            return {}
        one = {name: all_[number][None] for name, all_ in pictures.items()}
        with memory_watched():
            found = measure(one)
        each.append(measured.finish(found) if measured.finish else found.tolist())
    return dict(zip(measured.names, map(fmean, zip(*each, strict=True)), strict=True))


def groups_of(feeds: Feeds, preprocessing: Preprocessing) -> tuple[Group, ...]:
    """Feeds by what is drawn together.

    Raises MultitrainError where pictures of a pair do not go together.
    """
    made = []
    for first in feeds.values():
        if first.feed.pair_of is not None:
            continue
        if first.runs is not None and first.counts:
            raise MultitrainError(
                f"{first.feed.name} goes on from clip to clip, so its folders cannot have weights"
            )
        pairs = [each for each in feeds.values() if each.feed.pair_of == first.feed.name]
        for each in pairs:
            _require_pair(first, each)
        mixture = Mixture.of(first.feed.weights, first.counts, first.items, first.feed.sets_of)
        smallest = max([first, *pairs], key=lambda each: each.feed.factor)
        for each in pairs:
            _require_multiple(smallest, each)
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


def _require_multiple(smallest: OpenFeed, other: OpenFeed) -> None:
    """Of all feeds, a window shows the same part: a whole number of pixels of the smallest one."""
    if smallest.feed.factor % other.feed.factor:
        raise MultitrainError(
            f"{other.feed.name} is {other.feed.factor} times smaller and {smallest.feed.name} "
            f"{smallest.feed.factor} times; one factor must divide the other"
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

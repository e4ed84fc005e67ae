"""What steps are told of clips that go on: computed ahead, and alike on all engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from multitrain.engine.groups import Group
from multitrain.engine.model import Named, begins_of
from multitrain.engine.streams import Stream, stream_of_feed
from multitrain.engine.windows import SHARES

DRAWN_AT_ONCE = 4096  # runs, whose windows are drawn with one generator
DRAWN_KEPT = 64  # times so many


class Handed(NamedTuple):
    """What steps are given that is not on the device already.

    pictures: by feed, as engines have them.
    begins: as a batch has them, by name.
    shares: of windows, by group that goes on and has one.
    """

    pictures: Named
    begins: Named
    shares: Named


@dataclass
class GoingOn:
    """The way of a group that goes on: `batches` batches of `batch` items in each step.

    Each of the `detours` moves all clips on; the last one was taken before step `since`.
    """

    seed: int
    group: Group
    batch: int
    batches: int
    detours: int = 0
    since: int = 0

    def begins(self, step: int, steps: int) -> NDArray[np.bool_]:
        """Which items of `steps` steps from `step` on follow on none that was seen before.

        `(steps, batches, batch)`.
        """
        numbers, items, _ = self._in_order(step, steps)
        is_first = items == self._first_of_run(items)
        found: NDArray[np.bool_] = is_first | (numbers[:, None] == self.since * self.batches)
        return found.reshape(steps, self.batches, self.batch)

    def shares(self, step: int, steps: int) -> NDArray[np.float32]:
        """What places the windows: `(steps, 3, batches, batch)` in [0, 1), alike within a run."""
        _, items, laps = self._in_order(step, steps)
        runs = laps * self.group.items + self._first_of_run(items)
        stream = stream_of_feed(self.group.name, Stream.WINDOWS)
        drawn = np.empty((*runs.shape, SHARES), np.float32)
        blocks, places = np.divmod(runs, DRAWN_AT_ONCE)
        for block in np.unique(blocks):
            of_block = blocks == block
            drawn[of_block] = _drawn(self.seed, stream, int(block))[places[of_block]]
        by_step = drawn.reshape(steps, self.batches, self.batch, SHARES)
        return np.moveaxis(by_step, -1, 1)

    def _in_order(self, step: int, steps: int) -> tuple[NDArray[np.int64], ...]:
        numbers = np.arange(step * self.batches, (step + steps) * self.batches)
        return numbers, *self.group.in_order(numbers, self.batch, self.detours)

    def _first_of_run(self, items: NDArray[np.int64]) -> NDArray[np.int32]:
        assert self.group.runs is not None
        firsts: NDArray[np.int32] = self.group.runs[items]
        return firsts


class Ways:
    """The ways of all groups that go on."""

    def __init__(
        self, groups: Sequence[Group], drawn: Mapping[str, int], seed: int, batch: int
    ) -> None:
        """`drawn` are the batches per step of each feed."""
        self._ways = [
            GoingOn(seed, group, batch, group.batches(drawn))
            for group in groups
            if group.runs is not None
        ]

    def handed(self, step: int, steps: int, pictures: Named) -> Handed:
        """What `steps` steps from `step` on are told, beside these `pictures`."""
        begins: dict[str, Any] = {}
        shares: dict[str, Any] = {}
        for way in self._ways:
            of_group = way.begins(step, steps)
            begins |= {begins_of(each.feed.name): of_group for each in way.group.feeds}
            if way.group.window is not None:
                shares[way.group.name] = way.shares(step, steps)
        return Handed(pictures, begins, shares)

    def go_on_from(self, step: int, detours: int) -> None:
        """All clips were moved on by so many detours, the last one before `step`."""
        for way in self._ways:
            way.since, way.detours = step, detours


@lru_cache(DRAWN_KEPT)
def _drawn(seed: int, stream: int, block: int) -> NDArray[np.float32]:
    """The shares of a block of runs: `(n, 3)`."""
    random = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, stream, block])))
    return random.random((DRAWN_AT_ONCE, SHARES), np.float32)

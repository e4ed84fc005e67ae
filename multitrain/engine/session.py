"""What every family offers the training loop: a session that makes frames, block by block."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]
State = dict[str, NDArray[np.generic]]


@dataclass(frozen=True)
class SessionSettings:
    """How to run, as opposed to what: none of it is part of the job."""

    deterministic: bool = False  # same bits on the same hardware, slower
    threads: int | None = None  # CPU threads; None: all cores
    pictures_on_device: bool | None = None  # False: read batch by batch; None: if they fit


@dataclass(frozen=True)
class Block:
    """What some steps have made.

    frames: those of these steps, perhaps none: `(n, frame_height, frame_width, channels)` uint8.
    losses: by turn (`d`, `g`), the mean over the steps in which it learned; without those that did
        not.
    """

    frames: Frames
    losses: Mapping[str, float] = field(default_factory=dict)


def means(sums: NDArray[np.floating], steps: Mapping[str, int]) -> dict[str, float]:
    """Mean losses, from their sums and in how many steps each turn has learned."""
    by_turn = zip(steps.items(), sums.tolist(), strict=True)
    return {name: total / count for (name, count), total in by_turn if count}


class Session(Protocol):
    """A training in progress. The frames of step s do not depend on how steps form blocks."""

    detours: int  # how often the training went back because of NaN; each changes all later draws

    @property
    def step(self) -> int:
        """Steps done."""

    def warm_up(self) -> None:
        """Build what `run` needs, so that the first step is as quick as any other; does no step."""

    def run(self, steps: int) -> Block:
        """Do `steps` further steps; may be called from any one thread at a time.

        Fewer, but one at least, where they are of pictures that come live, and none come.
        """

    def last_frame(self) -> Frames:
        """The last frame of the last step again, drawn from the present state.

        `(1, frame_height, frame_width, channels)` uint8; after a step that has made frames.
        """

    def measured(self, is_wanted: Callable[[], bool] = lambda: True) -> Mapping[str, float]:
        """The measures of the networks as they are, by name: means over the pictures that are for
        it; empty where there are none, or where it `is_wanted` no more.
        """

    def follow(self, measured: Sequence[Sequence[Mapping[str, float]]]) -> None:
        """Go on with the learning rates that plateaus have after these measurements: those by each
        set of pictures, in their order.
        """

    def state(self) -> State:
        """Everything that a resume needs, as copies; `step` and `detours` are in it."""

    def adopt(self, weights: State, *, fitting: bool) -> list[str]:
        """At step 0: take over the `starting_weights` of another training, and begin from there.

        Their names begin with those of the networks. All must fit, else ValueError names the first
        that does not. With `fitting`, those are taken that have a weight of the
        same name and shape here; returns the names of the weights here for which nothing was taken.
        """

    def restore(self, state: State) -> None:
        """Go back, or on, to `state`; KeyError or ValueError where it is of another network."""

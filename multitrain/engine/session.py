"""What every family offers the training loop: a session that makes frames, block by block."""

from __future__ import annotations

from collections.abc import Mapping
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
    pictures_on_device: bool | None = None  # else read batch by batch; None: where they fit


@dataclass(frozen=True)
class Block:
    """What some steps brought.

    frames: `(steps * frames_per_step, frame_height, frame_width, channels)` uint8.
    losses: the mean over the steps, by network (`d`, `g`); empty where nothing is trained.
    """

    frames: Frames
    losses: Mapping[str, float] = field(default_factory=dict)


class Session(Protocol):
    """A training in progress. The frames of step s do not depend on how steps form blocks."""

    detours: int  # times the training went back because of NaN; changes all draws from then on

    @property
    def step(self) -> int:
        """Steps done."""

    def warm_up(self) -> None:
        """Have built what `run` needs, so that the first step is as quick as any; does none."""

    def run(self, steps: int) -> Block:
        """Do `steps` further steps; may be called from any one thread at a time."""

    def state(self) -> State:
        """Everything that a resume needs, as copies; `step` and `detours` are in it."""

    def adopt(self, weights: State, *, fitting: bool) -> list[str]:
        """At step 0: take over the `starting_weights` of another training, and begin from there.

        Their names begin with `generator/` and `discriminator/`. All must fit, else ValueError
        tells the first that does not. With `fitting`, as many are taken as have a place of the same
        name and shape; returns the names of those places that nothing was taken for.
        """

    def restore(self, state: State) -> None:
        """Go back, or on, to `state`; KeyError or ValueError where it is of another network."""

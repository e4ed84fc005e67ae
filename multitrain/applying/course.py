"""Which weights each frame of a video is made with: always the same, or on their way. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from multitrain.engine.session import State
from multitrain.weights.moments import Moments, between_steps, there_and_back

AND_BACK = ", and back"


class Mixture(NamedTuple):
    """How much of the weights of another job is mixed in: at the first frame, and at the last."""

    first: float
    last: float

    def __str__(self) -> str:
        return f"{self.first:g}..{self.last:g}"


@dataclass(frozen=True)
class Course:
    """Weights by the number of the frame, of `frames` frames.

    They are those of the `stages`, which `load` loads by their places, and between two of these.
    On a `closed` course they come back to where they were, so that a loop still closes.
    """

    frames: int
    stages: tuple[int, ...]
    load: Callable[[int], State]
    told: str  # in words, for people
    files: tuple[Path, ...]  # that the weights come from
    mixture: Mixture | None = None
    closed: bool = False

    @property
    def is_still(self) -> bool:
        """Whether all frames are made with the same weights."""
        return len(self.stages) == 1

    def at(self, number: int) -> tuple[int, float]:
        """A place in `stages`, and the share of the way from there to the next."""
        if self.is_still:
            return 0, 0.0
        if self.closed:
            gone = there_and_back(number, self.frames)
        else:
            gone = number / max(1, self.frames - 1)
        if self.mixture is None:
            return between_steps(gone, self.stages)
        first, last = self.mixture
        return 0, first + gone * (last - first)


def through(moments: Moments, frames: int, *, closed: bool) -> Course:
    """The course through these moments, of which there may be one."""
    moves = closed and len(moments.steps) > 1
    told = f"{moments.told}{AND_BACK if moves else ''}"
    return Course(frames, moments.steps, moments.load, told, moments.files, closed=closed)


def mixed(a: Moments, b: Moments, how: Mixture, frames: int, *, closed: bool) -> Course:
    """The course from the weights of one job towards those of another, each at one moment."""
    told = f"{a.told}, with {how} of {b.told} of the other{AND_BACK if closed else ''}"

    def load(place: int) -> State:
        return (a, b)[place].load(0)

    return Course(frames, (0, 1), load, told, (*a.files, *b.files), how, closed)

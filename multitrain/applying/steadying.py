"""What goes on from one frame of a video to the next, where statistics are smoothed over time.

Normalizations over a picture take its means and variances. Where something enters the picture,
these jump, and with them the colours of all the rest: the film flickers. Smoothed exponentially
over the frames before, they follow slowly. At a cut they begin anew. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from multitrain.datasets.looking.cuts import Sight, is_cut
from multitrain.engine.session import State

Statistics = Sequence[Any]  # of each normalization, in the order of their calls

WARM = 8  # times of smoothing: what was before has a share of 0.03 % then


def share_of_frame(seconds: float, fps: float) -> float:
    """How much of a frame's own statistics is mixed in, where they are smoothed over `seconds`.

    Exponential smoothing: what is older than `seconds` has a share of 1/e.
    """
    return -math.expm1(-1 / (seconds * fps))


def frames_to_warm(seconds: float, fps: float) -> int:
    """How many frames before the first one of a loop decide its statistics."""
    return math.ceil(WARM * seconds * fps)


@dataclass(frozen=True)
class Memory:
    """Of the frame before: its smoothed statistics, and how it looked."""

    statistics: Statistics
    sight: Sight

    @classmethod
    def of(cls, state: State) -> Self:
        """As it was kept."""
        numbers = range(len(state) - 1)
        return cls([state[f"{number}"] for number in numbers], state["sight"])

    @property
    def state(self) -> State:
        """To be kept."""
        named = {f"{number}": np.asarray(each) for number, each in enumerate(self.statistics)}
        return named | {"sight": self.sight}

    def goes_on(self, sight: Sight) -> bool:
        """Whether a frame that looks so follows on: there is no cut between."""
        return not is_cut(self.sight, sight)

"""Where a loop is best cut: between the most alike moments; and where its file begins. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from jobs.plans.cycles import Cycle, eased

BLOCK = 512  # pictures that are compared at once
FLAT = 25.0  # square levels: contrast below this counts as none


def best_start(pictures: NDArray[np.uint8], cycle: Cycle) -> int:
    """Frame of the film where the loop should begin, which is `cycle.start` or later.

    `pictures`, (n, values) uint8, are small ones of all frames from `cycle.start` on. Head and tail
    are compared over the whole fade, most in its middle, where both are seen: by the mean square of
    their difference, as a share of their own contrast. Without that share, the grey in which
    trainings begin would always be the best.
    """
    pairs = len(pictures) - cycle.moments
    apart, contrast = np.empty(pairs), np.empty(pairs)
    for first in range(0, pairs, BLOCK):
        head = pictures[first : min(first + BLOCK, pairs)]
        block = slice(first, first + len(head))
        tail = pictures[first + cycle.moments :][: len(head)]
        apart[block], contrast[block] = _compared(head, tail)
    shares = np.array([eased((number + 0.5) / cycle.fade) for number in range(cycle.fade)])
    seen = shares * (1 - shares)
    differences, contrasts = (np.convolve(each, seen, mode="valid") for each in (apart, contrast))
    return cycle.start + int((differences / (contrasts + FLAT * seen.sum())).argmin())


def unlikeness(ours: NDArray[np.uint8], theirs: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(n,): how much pictures differ from each other, as a share of their own contrast.

    Both are (n, values) uint8, or one of them (1, values).
    """
    apart, contrast = _compared(ours, theirs)
    differences: NDArray[np.float64] = apart / (contrast + FLAT)
    return differences


def _compared(
    ours: NDArray[np.uint8], theirs: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n,) each: the mean square of the pictures' differences, and the contrast of both."""
    one, other = ours.astype(np.float32), theirs.astype(np.float32)
    return np.square(one - other).mean(axis=1), one.var(axis=1) + other.var(axis=1)


def quiet_turn(steps: Sequence[float]) -> int:
    """The first frame of a round to which the step is no larger than the median of all steps.

    `steps[n]` is how much frame n differs from the one before it; the last is before frame 0. A
    loop has no beginning: a file that begins there shows the same loop, and a player that stumbles
    at the file's end is seen least there.
    """
    median = float(np.median(steps))
    return next(number for number, step in enumerate(steps) if step <= median)

"""The processor's cores: which of them are ours, and how they are shared."""

from __future__ import annotations

import os
from collections.abc import Sequence


def available_cores() -> tuple[int, ...]:
    """The processor numbers that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def share_out(cores: Sequence[int], count: int) -> list[tuple[int, ...]]:
    """`cores` in `count` equal shares of at least one each; with too few, shares overlap.

    Sums depend on how many threads made them, so all slots on which a training may go on need as
    many cores. Cores left over serve the encoders, which have no slots.
    """
    each = len(cores) // count
    if each == 0:
        return [(cores[number % len(cores)],) for number in range(count)]
    return [tuple(cores[each * number : each * (number + 1)]) for number in range(count)]

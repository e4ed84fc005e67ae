"""What draws out of several sets with weights must be like, whichever engine makes them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from multitrain.engine.mixture import Mixture

SETS = Mixture(counts=(5, 3, 20), weights=(4, 1, 2))

Draw = Callable[[int, int], list[int]]  # so many batches of so many


def check_shares(drawn: Draw) -> None:
    """Sets come as their weights say in every cycle, in another order each time."""
    owners = _owners(drawn(30, 7))

    cycles = [owners[start : start + 7] for start in range(0, 210, 7)]
    assert all(sorted(cycle) == [0, 0, 0, 0, 1, 2, 2] for cycle in cycles)
    assert len({tuple(cycle) for cycle in cycles}) > 15


def check_rounds(drawn: Draw) -> None:
    """All pictures of a set come round after round."""
    sequence = drawn(50, 7)
    owners = _owners(sequence)

    for number, pictures in enumerate([range(5), range(5, 8), range(8, 28)]):
        of_set = [each for each, owner in zip(sequence, owners, strict=True) if owner == number]
        size = len(pictures)
        # In a cycle the order is by chance, so a round may end a few draws later than it began.
        counts = [of_set[: rounds * size].count(each) for rounds in (2, 4) for each in pictures]
        assert max(counts[:size]) - min(counts[:size]) <= 2
        assert max(counts[size:]) - min(counts[size:]) <= 2
        assert len(set(of_set)) == size


def check_batches(drawn: Draw) -> None:
    """Many batches at once are those one by one."""
    assert drawn(12, 5) == drawn(1, 60)


def _owners(drawn: list[int]) -> list[int]:
    """The set of each picture."""
    return np.searchsorted([5, 8], drawn, side="right").tolist()

"""What draws of pictures must be like, of one set or several, whichever engine makes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from multitrain.engine.mixture import Mixture

SETS = Mixture(counts=(5, 3, 20), weights=(4, 1, 2))

Draw = Callable[[int, int], list[int]]  # so many batches of so many
Items = Callable[[str, Mixture], list[int]]  # 70 of a feed
Orders = Callable[[int, int], NDArray]  # of so many pictures, in the round of this number


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


def check_company(items: Items) -> None:
    """A feed whose sets are chosen as another one's has pictures of the same set each time."""
    other = replace(SETS, counts=(9, 2, 4))
    owners = _owners(items("targets", SETS))
    assert _owners(items("inputs", replace(other, sets_of="targets")), (9, 11)) == owners
    assert _owners(items("inputs", other), (9, 11)) != owners


def check_independence(order: Orders) -> None:
    """One round tells nothing of another one: neither where pictures come nor what follows them."""
    for pictures in (20, 1000, 65_536, 100_000):
        # The cipher of TensorFlow's order is told no more than 8 bits of a number at a time.
        orders = [order(pictures, number) for number in (0, 1, 2, 256)]
        assert all(len(np.unique(each)) == pictures for each in orders)
        for one, other in combinations(orders, 2):
            assert abs(np.corrcoef(one, other)[0, 1]) < 5 / np.sqrt(pictures)
            again = np.empty_like(other)
            again[other] = np.arange(pictures)
            apart = np.diff(again[one]) % pictures
            assert np.bincount(apart).max() < 15  # alike by chance: 8 of 100,000


def _owners(drawn: list[int], begins: tuple[int, int] = (5, 8)) -> list[int]:
    """The set of each picture; `begins` is where the second and the third one do."""
    return np.searchsorted(begins, drawn, side="right").tolist()

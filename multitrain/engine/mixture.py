"""Which pictures come next out of several sets with weights: whole numbers and nothing else.

Draws are positions in an endless sequence. It has cycles as long as the sum of the weights; in
each, a set has as many places as its weight, and the order of the places is by chance. Of a set,
all pictures come round after round, each round in an order of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Self

from jobs.errors import DatasetError


@dataclass(frozen=True)
class Mixture:
    """Sets of pictures, one behind the other: `counts` in each, `weights` drawn in a cycle.

    `sets_of` names another feed, with the same weights, by whose chance the sets are chosen.
    """

    counts: tuple[int, ...]
    weights: tuple[int, ...]
    sets_of: str | None = None

    @classmethod
    def of(
        cls,
        weights: tuple[int, ...] | None,
        counts: tuple[int, ...],
        pictures: int,
        sets_of: str | None = None,
    ) -> Self:
        """The mixture of all `pictures`; one set where there are no weights, or only one folder."""
        if weights is None or len(weights) == 1:
            return cls((pictures,), (1,))
        if 0 in counts or len(counts) != len(weights):
            raise DatasetError(f"Of each folder there must be pictures, and there are {counts}")
        return cls(counts, weights, sets_of)

    @property
    def cycle(self) -> int:
        """Draws after which each set has had its share."""
        return sum(self.weights)

    @property
    def first_pictures(self) -> tuple[int, ...]:
        """Where each set begins among all pictures."""
        return tuple(accumulate(self.counts[:-1], initial=0))

    @property
    def first_places(self) -> tuple[int, ...]:
        """Where the places of each set begin in a cycle, before these are shuffled."""
        return tuple(accumulate(self.weights[:-1], initial=0))

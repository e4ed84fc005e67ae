"""Pictures that generators have made before: discriminators see them again by chance.

Shrivastava et al. 2017, https://arxiv.org/abs/1612.07828. Until the pool is full, each picture that
is made takes a place in it, and is the one that is seen. From then on, half of the time it is; else
a random one of the pool is seen, whose place the new one takes. The pictures of a batch draw from
the pool as it was before the batch; where two draw the same place, the later one has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras import ops

from multitrain.engine.model import Carried, Chance

CHANCE = Chance((2,))  # whether an old one is seen, and which
USED = 0.5  # how often


@dataclass(frozen=True)
class Pool:
    """Of so many pictures of this shape, where batches are of `batch` pictures; 0: there is none.

    What is carried are the pictures, `(size, height, width, channels)`, and how many there are.
    """

    size: int
    batch: int
    shape: tuple[int, int, int]

    def __post_init__(self) -> None:
        assert self.size == 0 or self.size >= self.batch, "a whole batch has places"

    @property
    def pictures(self) -> Carried:
        return Carried((self.size, *self.shape))

    @property
    def count(self) -> Carried:
        return Carried((), "int32")

    def seen(self, made: Any, pictures: Any, count: Any, chance: Any) -> Any:
        """What the discriminator sees for pictures that were `made`, by `chance` `(n, 2)`."""
        old = ops.take(pictures, self._places(count, chance), axis=0)
        return ops.where(self._stays(count, chance)[:, None, None, None], old, made)

    def after(self, made: Any, pictures: Any, count: Any, chance: Any) -> Any:
        """The pictures of the pool once those of a whole batch were made."""
        slots = ops.arange(self.size, dtype="int32")
        appended = count + ops.arange(self.batch, dtype="int32")
        full = self._is_full(count)
        places = ops.where(full, self._places(count, chance), appended)
        takes = ops.logical_or(ops.logical_not(full), self._stays(count, chance))
        meets = ops.logical_and(ops.equal(places[:, None], slots), takes[:, None])
        order = ops.arange(1, self.batch + 1, dtype="int32")[:, None]
        last = ops.max(ops.where(meets, order, ops.zeros_like(order)), axis=0)  # 0: none does
        new = ops.take(made, ops.maximum(last - 1, 0), axis=0)
        return ops.where((last > 0)[:, None, None, None], new, pictures)

    def count_after(self, count: Any) -> Any:
        return ops.where(self._is_full(count), count, count + self.batch)

    def _is_full(self, count: Any) -> Any:
        """Whether the pictures of one more batch have no places of their own."""
        return count + self.batch > self.size

    def _stays(self, count: Any, chance: Any) -> Any:
        """Which of the pictures made are kept, while an old one is seen."""
        return ops.logical_and(self._is_full(count), chance[:, 0] < USED)

    def _places(self, count: Any, chance: Any) -> Any:
        taken = ops.cast(ops.maximum(count, 1), "float32")
        return ops.cast(ops.floor(chance[:, 1] * taken), "int32")

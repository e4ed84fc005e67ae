"""Random numbers as pure functions of (seed, detours, step, update): nothing to save or restore.

A resume needs no generator's state, and the draws do not depend on how steps form blocks. All
functions work inside a `tf.function`; `step` and `update` may be tensors. Not inside one that XLA
compiles: it draws other numbers from the same keys.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from multitrain.engine.adversarial import Latents
from multitrain.engine.windows import SHARES


class Stream(enum.IntEnum):
    """What a draw is for; draws of different streams are independent."""

    GRID = 0
    LATENTS = 1
    PICTURES = 2
    MIXING = 3
    WINDOWS = 4


@dataclass(frozen=True)
class Draws:
    """The draws of one job. `detours` is a variable: each detour changes all these but GRID.

    Layers that draw, such as dropout, go on from where their own counters stand.
    """

    seed: int
    detours: Any

    def grid(self, samples: int, latents: Latents) -> Any:
        """The latents that frame 0 shows: `(samples, length)` float32."""
        return _latents(self._key(Stream.GRID), samples, latents)

    def latents(self, step: Any, update: int, count: int, latents: Latents) -> Any:
        """`(count, length)` float32."""
        return _latents(self._key(Stream.LATENTS, self.detours, step, update), count, latents)

    def mixing(self, step: Any, update: int, count: int) -> Any:
        """`(count,)` float32 in [0, 1)."""
        key = self._key(Stream.MIXING, self.detours, step, update)
        return tf.random.stateless_uniform((count,), key, alg="philox")

    def windows(self, step: Any, batches: int, count: int) -> Any:
        """`(3, batches, count)` float32 in [0, 1): the shares that place windows on pictures."""
        key = self._key(Stream.WINDOWS, self.detours, step)
        return tf.random.stateless_uniform((SHARES, batches, count), key, alg="philox")

    def picture_indices(self, batch: Any, count: int, pictures: int, batches: int = 1) -> Any:
        """`(batches * count,)` int64: the `batch`-th batch and those after it.

        They are an endless pass over all pictures: every picture comes once before any comes again,
        and each round has an order of its own.
        """
        drawn = batches * count
        positions = tf.cast(batch, tf.int64) * count + tf.range(drawn, dtype=tf.int64)
        key = self._key(Stream.PICTURES, self.detours)
        rounds = positions // pictures
        seeds = tf.stack(
            [tf.fill([drawn], key[0]), tf.fill([drawn], key[1]), tf.cast(rounds, tf.int32)], axis=1
        )
        # The op itself: `tf.random.experimental.index_shuffle` takes one seed for all positions.
        return tf.raw_ops.RandomIndexShuffle(
            index=positions % pictures, seed=seeds, max_index=tf.constant(pictures - 1, tf.int64)
        )

    def _key(self, stream: Stream, *counters: Any) -> Any:
        key = tf.constant([self.seed, stream], tf.int32)
        for counter in counters:
            key = tf.random.fold_in(key, tf.cast(counter, tf.int32), alg="philox")
        return key


def _latents(key: Any, count: int, latents: Latents) -> Any:
    shape = count, latents.length
    if latents.distribution == "normal":
        return tf.random.stateless_normal(shape, key, alg="philox")
    return tf.random.stateless_uniform(shape, key, -1.0, 1.0, alg="philox")

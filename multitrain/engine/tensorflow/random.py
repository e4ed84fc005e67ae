"""Random numbers as pure functions of (seed, detours, step, number): nothing to save or restore.

A resume needs no generator's state, and the draws do not depend on how steps form blocks. All
functions work inside a `tf.function`; `step` and `number` may be tensors. Not inside one that XLA
compiles: it draws other numbers from the same keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from multitrain.engine.mixture import Mixture
from multitrain.engine.model import Chance
from multitrain.engine.streams import Stream, stream_of, stream_of_feed, stream_of_samples
from multitrain.engine.windows import SHARES

# A cipher puts items in order. With 4 rounds of it, those orders of a large set that follow each
# other are much alike. Those of a small one are not, and earlier versions have trained with them.
CIPHER_ROUNDS, CIPHER_ROUNDS_OF_FEW = 16, 4
FEW_ITEMS = 1000
LARGEST = 2**32 - 1  # which the cipher needs no second try for


@dataclass(frozen=True)
class Draws:
    """The draws of one job. `detours` is a variable: each detour changes all draws but samples.

    Layers that draw, such as dropout, do so by counters of their own.
    """

    seed: int
    detours: Any

    def samples(self, name: str, cells: int, chance: Chance) -> Any:
        """What frames show: `(cells, ...)` float32."""
        return _drawn(self._key(stream_of_samples(name)), cells, chance)

    def chance(self, name: str, chance: Chance, step: Any, number: int, count: int) -> Any:
        """Draw `number` of a step, for `count` pictures: `(count, ...)` float32."""
        key = self._key(stream_of(name), self.detours, step, number)
        return _drawn(key, count, chance)

    def windows(self, feed: str, step: Any, batches: int, count: int) -> Any:
        """`(3, batches, count)` float32 in [0, 1): the shares that place windows on pictures."""
        key = self._key(stream_of_feed(feed, Stream.WINDOWS), self.detours, step)
        return tf.random.stateless_uniform((SHARES, batches, count), key, alg="philox")

    def items(self, feed: str, batch: Any, count: int, mixture: Mixture, batches: int = 1) -> Any:
        """`(batches * count,)` int64: the items of the `batch`-th batch and of those after it.

        They are an endless pass over all items, round after round, each in an order of its own.
        With several sets, a round of one set may end, and its next one begin, within a cycle.
        """
        of_items = stream_of_feed(feed, Stream.PICTURES)
        drawn = batches * count
        positions = tf.cast(batch, tf.int64) * count + tf.range(drawn, dtype=tf.int64)
        if len(mixture.counts) == 1:
            return self._shuffled(positions, mixture.counts[0], of_items)
        of_sets = stream_of_feed(mixture.sets_of or feed, Stream.SETS)
        places = self._in_cycles(positions, mixture.cycle, of_sets)
        indices = tf.zeros_like(positions)
        sets = zip(
            mixture.counts,
            mixture.weights,
            mixture.first_pictures,
            mixture.first_places,
            strict=True,
        )
        for number, (pictures, weight, first_picture, first_place) in enumerate(sets):
            place = places - first_place
            nth = positions // mixture.cycle * weight + place
            drawn_of_set = self._shuffled(tf.maximum(nth, 0), pictures, of_items, number)
            is_of_set = tf.logical_and(place >= 0, place < weight)
            indices = tf.where(is_of_set, first_picture + drawn_of_set, indices)
        return indices

    def _in_cycles(self, positions: Any, length: int, stream: int) -> Any:
        """As `_shuffled`, at positions that follow each other.

        To order 3 numbers, a cipher that knows no fewer than 65,536 tries for milliseconds; so few
        are sorted by what it makes of them.
        """
        if length > FEW_ITEMS:
            return self._shuffled(positions, length, stream)
        cycles = positions[0] // length + tf.range(positions.shape[0] // length + 2, dtype=tf.int64)
        numbers = tf.tile(tf.range(length, dtype=tf.int64), [cycles.shape[0]])
        keys = self._enciphered(numbers, tf.repeat(cycles, length), LARGEST, CIPHER_ROUNDS, stream)
        orders = tf.argsort(tf.reshape(keys, (-1, length)))
        at = positions - cycles[0] * length
        return tf.cast(tf.gather(tf.reshape(orders, (-1,)), at), tf.int64)

    def _shuffled(self, positions: Any, length: int, stream: int, *counters: int) -> Any:
        """The numbers at `positions` of an endless sequence: 0 to `length` - 1, round after round.

        Each round is in an order of its own.
        """
        cipher_rounds = CIPHER_ROUNDS_OF_FEW if length <= FEW_ITEMS else CIPHER_ROUNDS
        numbers, rounds = positions % length, positions // length
        return self._enciphered(numbers, rounds, length - 1, cipher_rounds, stream, *counters)

    def _enciphered(
        self, numbers: Any, rounds: Any, most: int, cipher_rounds: int, stream: int, *counters: int
    ) -> Any:
        """`numbers` of 0 to `most`, each as it is enciphered in one of the `rounds`."""
        key = self._key(stream, self.detours, *counters)
        rounds = tf.cast(rounds, tf.int32)
        # The cipher may use no more than 8 bits of each of the three numbers that are its key.
        eighth_on, sixteenth_on = (tf.bitwise.right_shift(rounds, bits) for bits in (8, 16))
        seeds = tf.stack([key[0] ^ eighth_on, key[1] ^ sixteenth_on, rounds], axis=1)
        # The op itself: `tf.random.experimental.index_shuffle` takes one seed for all positions.
        return tf.raw_ops.RandomIndexShuffle(
            index=numbers, seed=seeds, max_index=tf.constant(most, tf.int64), rounds=cipher_rounds
        )

    def _key(self, stream: int, *counters: Any) -> Any:
        key = tf.constant([self.seed, stream], tf.int32)
        for counter in counters:
            key = tf.random.fold_in(key, tf.cast(counter, tf.int32), alg="philox")
        return key


def _drawn(key: Any, count: int, chance: Chance) -> Any:
    shape = count, *chance.shape
    if chance.distribution == "normal":
        return tf.random.stateless_normal(shape, key, alg="philox")
    return tf.random.stateless_uniform(shape, key, chance.low, chance.high, alg="philox")

"""Random numbers as pure functions of (seed, detours, step, number): nothing to save or restore.

What an update is given is drawn on the device by JAX's generator, the order of the pictures on the
host by NumPy's, a few thousand at once: so a block of steps knows its pictures without asking the
device.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from multitrain.engine.mixture import Mixture
from multitrain.engine.model import Chance
from multitrain.engine.streams import Stream, stream_of, stream_of_feed, stream_of_samples
from multitrain.engine.windows import SHARES

Indices = NDArray[np.int32]

ORDERS_KEPT = 16
DRAWN_AT_ONCE = 4096  # pictures at least: a generator costs as much as some hundred of them


def samples(seed: int, name: str, cells: int, chance: Chance) -> Any:
    """What frames show: `(cells, ...)` float32."""
    return _drawn(_key(seed, stream_of_samples(name)), chance, cells)


def chances(
    seed: int, detours: Any, step: Any, name: str, chance: Chance, draws: int, count: int
) -> Any:
    """All draws of a step, for `count` pictures each: `(draws, count, ...)` float32.

    `detours` and `step` may be traced.
    """
    return _drawn(_key(seed, stream_of(name), detours, step), chance, draws, count)


def windows(seed: int, detours: Any, feed: str, step: Any, batches: int, count: int) -> Any:
    """`(3, batches, count)` float32 in [0, 1): the shares that place windows on pictures.

    `detours` and `step` may be traced.
    """
    key = _key(seed, stream_of_feed(feed, Stream.WINDOWS), detours, step)
    return jax.random.uniform(key, (SHARES, batches, count), jnp.float32)


def items_of(
    seed: int, detours: int, feed: str, first: int, count: int, mixture: Mixture
) -> Indices:
    """`(count,)`: a feed's items from number `first` on in an endless pass over all of them.

    Round after round, each in an order of its own. With several sets, a round of one set may end,
    and its next one begin, within a cycle.
    """
    positions = np.arange(first, first + count)
    of_items = stream_of_feed(feed, Stream.PICTURES)
    if len(mixture.counts) == 1:
        return _shuffled(positions, mixture.counts[0], seed, of_items, detours)
    of_sets = stream_of_feed(mixture.sets_of or feed, Stream.SETS)
    places = _shuffled(positions, mixture.cycle, seed, of_sets, detours)
    sets = np.searchsorted(mixture.first_places, places, side="right") - 1
    indices = np.empty(count, np.int32)
    for number in np.unique(sets):
        of_set = sets == number
        cycles = positions[of_set] // mixture.cycle
        place = places[of_set] - mixture.first_places[number]
        nth = cycles * mixture.weights[number] + place
        pictures = mixture.counts[number]
        drawn = _shuffled(nth, pictures, seed, of_items, detours, int(number))
        indices[of_set] = mixture.first_pictures[number] + drawn
    return indices


def _shuffled(positions: NDArray[np.int64], length: int, *key: int) -> Indices:
    """The numbers at `positions` of an endless sequence: 0 to `length` - 1, round after round.

    Each round is in an order of its own.
    """
    rounds = -(-DRAWN_AT_ONCE // length)
    runs, places = np.divmod(positions, rounds * length)
    numbers = np.empty(len(positions), np.int32)
    for run in np.unique(runs):
        of_run = runs == run
        numbers[of_run] = _order(key, int(run), rounds, length)[places[of_run]]
    return numbers


@lru_cache(ORDERS_KEPT)
def _order(key: tuple[int, ...], run: int, rounds: int, length: int) -> Indices:
    """The `run`-th run of `rounds` rounds, one after the other: `(rounds * length,)`."""
    entropy = np.random.SeedSequence([*key, run])
    random = np.random.Generator(np.random.Philox(entropy))
    sorted_rounds = np.tile(np.arange(length, dtype=np.int32), (rounds, 1))
    return random.permuted(sorted_rounds, axis=1).ravel()


def _key(seed: int, stream: int, *counters: Any) -> Any:
    key = jax.random.key(seed, impl="threefry2x32")  # by name: JAX's default may change
    for counter in (stream, *counters):
        key = jax.random.fold_in(key, counter)
    return key


def _drawn(key: Any, chance: Chance, *counts: int) -> Any:
    shape = *counts, *chance.shape
    if chance.distribution == "normal":
        return jax.random.normal(key, shape, jnp.float32)
    return jax.random.uniform(key, shape, jnp.float32, chance.low, chance.high)

"""Random numbers as pure functions of (seed, detours, step, update): nothing to save or restore.

Latents are drawn on the device by JAX's generator, the order of the pictures on the host by
NumPy's, a few thousand at once: so a block of steps knows its pictures without asking the device.
"""

from __future__ import annotations

import enum
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from multitrain.engine.adversarial import Latents
from multitrain.engine.windows import SHARES

Indices = NDArray[np.int32]

ORDERS_KEPT = 4
DRAWN_AT_ONCE = 4096  # pictures at least: a generator costs as much as some hundred of them


class Stream(enum.IntEnum):
    """What a draw is for; draws of different streams are independent."""

    GRID = 0
    LATENTS = 1
    PICTURES = 2
    MIXING = 3
    WINDOWS = 4


def grid(seed: int, samples: int, latents: Latents) -> Any:
    """The latents that frame 0 shows: `(samples, length)` float32."""
    return _latents(_key(seed, Stream.GRID), latents, samples)


def generations(
    seed: int, detours: Any, step: Any, generations: int, count: int, latents: Latents
) -> Any:
    """`(generations, count, length)` float32; `detours` and `step` may be traced."""
    return _latents(_key(seed, Stream.LATENTS, detours, step), latents, generations, count)


def mixing(seed: int, detours: Any, step: Any, updates: int, count: int) -> Any:
    """`(updates, count)` float32 in [0, 1); `detours` and `step` may be traced."""
    key = _key(seed, Stream.MIXING, detours, step)
    return jax.random.uniform(key, (updates, count), jnp.float32)


def windows(seed: int, detours: Any, step: Any, batches: int, count: int) -> Any:
    """`(3, batches, count)` float32 in [0, 1): the shares that place windows on pictures.

    `detours` and `step` may be traced.
    """
    key = _key(seed, Stream.WINDOWS, detours, step)
    return jax.random.uniform(key, (SHARES, batches, count), jnp.float32)


def picture_indices(seed: int, detours: int, first: int, count: int, pictures: int) -> Indices:
    """`(count,)`: what comes from number `first` on in an endless pass over all pictures.

    Every picture comes once before any comes again; each round has an order of its own.
    """
    rounds = -(-DRAWN_AT_ONCE // pictures)
    indices = np.empty(count, np.int32)
    filled = 0
    while filled < count:
        run, start = divmod(first + filled, rounds * pictures)
        order = _order(seed, detours, run, rounds, pictures)[start : start + count - filled]
        indices[filled : filled + len(order)] = order
        filled += len(order)
    return indices


@lru_cache(ORDERS_KEPT)
def _order(seed: int, detours: int, run: int, rounds: int, pictures: int) -> Indices:
    """The `run`-th run of so many rounds, one after the other: `(rounds * pictures,)`."""
    entropy = np.random.SeedSequence([seed, Stream.PICTURES, detours, run])
    random = np.random.Generator(np.random.Philox(entropy))
    sorted_rounds = np.tile(np.arange(pictures, dtype=np.int32), (rounds, 1))
    return random.permuted(sorted_rounds, axis=1).ravel()


def _key(seed: int, stream: Stream, *counters: Any) -> Any:
    key = jax.random.key(seed, impl="threefry2x32")  # by name: what is usual may change
    for counter in (stream, *counters):
        key = jax.random.fold_in(key, counter)
    return key


def _latents(key: Any, latents: Latents, *counts: int) -> Any:
    shape = *counts, latents.length
    if latents.distribution == "normal":
        return jax.random.normal(key, shape, jnp.float32)
    return jax.random.uniform(key, shape, jnp.float32, -1.0, 1.0)

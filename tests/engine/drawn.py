"""What the engine of this process draws for a step, in NumPy."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np
from numpy.typing import NDArray

from jobs.settings.spec import JobSpec
from multitrain.engine.feeds import Feeds, OpenFeed
from multitrain.engine.mixture import Mixture
from multitrain.engine.model import Chance, begins_of


def chance_of(spec: JobSpec, name: str, chance: Chance, step: int, draws: int) -> NDArray:
    """All draws of a chance for a step: `(draws, n, ...)`."""
    count = spec.images_per_batch
    if keras.backend.backend() == "jax":
        from multitrain.engine.jax import random as jax_random

        return np.asarray(jax_random.chances(spec.seed, 0, step, name, chance, draws, count))
    from multitrain.engine.tensorflow.random import Draws

    of_job = Draws(spec.seed, 0)
    return np.stack([of_job.chance(name, chance, step, number, count) for number in range(draws)])


def feeds_of(spec: JobSpec, feeds: Feeds, step: int, batches: Mapping[str, int]) -> dict:
    """What a step is given of each feed: `(batches, n, ...)` float64."""
    given: dict[str, NDArray] = {}
    for name, feed in feeds.items():
        first = feeds[feed.feed.pair_of or name]
        if feed.runs is None:
            items = _items_of(spec, first, step, batches[name])
        else:  # place by place, each goes on where it was
            places = np.arange(spec.images_per_batch) * feed.items // spec.images_per_batch
            items = (places + step)[None] % feed.items
            begins = (items == feed.runs[items]) | (step == 0)
            given[begins_of(name)] = begins.astype(np.float64)
        pictures = feed.pictures[items if feed.numbers is None else feed.numbers[items]]
        given[name] = pictures.astype(np.float64)
    return given


def _items_of(spec: JobSpec, feed: OpenFeed, step: int, batches: int) -> NDArray:
    count, all_of_them, name = spec.images_per_batch, Mixture((feed.items,), (1,)), feed.feed.name
    if keras.backend.backend() == "jax":
        from multitrain.engine.jax import random as jax_random

        first, drawn = step * batches * count, batches * count
        items = jax_random.items_of(spec.seed, 0, name, first, drawn, all_of_them)
    else:
        from multitrain.engine.tensorflow.random import Draws

        draws = Draws(spec.seed, 0)
        items = draws.items(name, step * batches, count, all_of_them, batches).numpy()
    return items.reshape(batches, count)

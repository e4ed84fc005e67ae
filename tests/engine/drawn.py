"""What the engine of this process draws for a step, in NumPy."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from jobs.settings.spec import JobSpec
from multitrain.engine.mixture import Mixture
from multitrain.engine.model import Chance


def chance_of(spec: JobSpec, name: str, chance: Chance, step: int, draws: int) -> NDArray:
    """All draws of a chance for a step: `(draws, n, ...)`."""
    count = spec.images_per_batch
    if keras.backend.backend() == "jax":
        from multitrain.engine.jax import random as jax_random

        return np.asarray(jax_random.chances(spec.seed, 0, step, name, chance, draws, count))
    from multitrain.engine.tensorflow.random import Draws

    of_job = Draws(spec.seed, 0)
    return np.stack([of_job.chance(name, chance, step, number, count) for number in range(draws)])


def pictures_of(spec: JobSpec, pictures: NDArray, step: int, batches: int) -> NDArray:
    """The pictures of a step's batches: `(batches, n, height, width, channels)`."""
    count, all_of_them = spec.images_per_batch, Mixture((len(pictures),), (1,))
    if keras.backend.backend() == "jax":
        from multitrain.engine.jax import random as jax_random

        first = step * batches * count
        indices = jax_random.picture_indices(spec.seed, 0, first, batches * count, all_of_them)
    else:
        from multitrain.engine.tensorflow.random import Draws

        draws = Draws(spec.seed, 0)
        indices = draws.picture_indices(step * batches, count, all_of_them, batches).numpy()
    return pictures[indices].reshape(batches, count, *pictures.shape[1:])

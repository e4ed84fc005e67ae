"""Layers that draw at random in training, and do nothing else: dropout and Gaussian noise.

What has been drawn is counted in a variable of the layer, so that it lies in every checkpoint.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class RandomLayer(keras.layers.Layer):  # type: ignore[misc]
    """Draws from `draws`, in training alone: what it makes has the shape of its inputs."""

    def __init__(self, seed: int, **kw: Any) -> None:
        super().__init__(**kw)
        # Its name is that of its variable: Keras' own count the layers of a process.
        self.draws = keras.random.SeedGenerator(seed, name=self.name)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return self.disturb(inputs) if training else inputs

    def disturb(self, inputs: Any) -> Any:
        """What it makes of its inputs in training."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape


class Dropout(RandomLayer):
    """Leaves out a share of the values, and makes the others larger for it (Srivastava 2014)."""

    def __init__(self, rate: float, seed: int, **kw: Any) -> None:
        super().__init__(seed, **kw)
        self.rate = rate

    def disturb(self, inputs: Any) -> Any:
        """Values of any shape."""
        return keras.random.dropout(inputs, self.rate, seed=self.draws)


class Noise(RandomLayer):
    """Adds normally distributed values around 0."""

    def __init__(self, stddev: float, seed: int, **kw: Any) -> None:
        super().__init__(seed, **kw)
        self.stddev = stddev

    def disturb(self, inputs: Any) -> Any:
        """Values of any shape."""
        shape = ops.shape(inputs)
        noise = keras.random.normal(shape, dtype=self.compute_dtype, seed=self.draws)
        return inputs + self.stddev * noise

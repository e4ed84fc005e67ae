"""Layers that draw at random in training, and do nothing else: dropout and kinds of noise.

A variable of the layer counts its draws, so that the count is in every checkpoint.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from multitrain.networks.initializers import Filled

if keras.backend.backend() == "tensorflow":
    from multitrain.networks.native.replicas import replica
else:  # one program draws for the batches of all devices

    def replica() -> int:
        """0: on other engines there is only one program."""
        return 0


GOLDEN = 0x9E3779B9  # far from multiples of itself, in whole numbers of 32 bits (Knuth, 6.4)


class RandomLayer(keras.layers.Layer):  # type: ignore[misc]
    """Changes its inputs by random numbers from `draws`, in training only; keeps their shape."""

    def __init__(self, seed: int, **kw: Any) -> None:
        super().__init__(**kw)
        # Its variable gets this name; Keras would name it by a count of all layers in the process.
        self.draws = Draws(seed, name=self.name)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return self.disturb(inputs) if training else inputs

    def disturb(self, inputs: Any) -> Any:
        """The layer's outputs in training."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape


class Draws(keras.random.SeedGenerator):  # type: ignore[misc]
    """Seeds that count up, and differ from replica to replica: each draws for its own pictures."""

    def next(self, ordered: bool = True) -> Any:
        seed = super().next(ordered)
        if not (number := replica()):
            return seed
        return ops.add(seed, ops.convert_to_tensor([number * GOLDEN % 2**32, 0], dtype=seed.dtype))


class Dropout(RandomLayer):
    """Sets a share of the values to 0, and enlarges the others to make up (Srivastava 2014)."""

    def __init__(self, rate: float, seed: int, **kw: Any) -> None:
        super().__init__(seed, **kw)
        self.rate = rate

    def disturb(self, inputs: Any) -> Any:
        """Values of any shape."""
        # In float32: bfloat16 has too few digits for small rates.
        chance = keras.random.uniform(ops.shape(inputs), dtype="float32", seed=self.draws)
        return ops.where(chance < self.rate, ops.zeros_like(inputs), inputs / (1.0 - self.rate))


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


class InjectedNoise(RandomLayer):
    """Adds the same noise to all channels of a pixel, as strongly as it learns to.

    Karras et al. 2019, section 3.2, https://arxiv.org/abs/1812.04948. It begins without any.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        super().build(input_shape)
        self.strength = self.add_weight(shape=(), initializer=Filled(0.0), name="strength")

    def disturb(self, inputs: Any) -> Any:
        """Values `(n, height, width, channels)`."""
        shape = (*ops.shape(inputs)[:-1], 1)
        noise = keras.random.normal(shape, dtype=self.compute_dtype, seed=self.draws)
        return inputs + ops.cast(self.strength, self.compute_dtype) * noise

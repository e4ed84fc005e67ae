"""Weights at the start, drawn by NumPy: the same on every engine, and nothing to compile."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

TRUNCATION = 2.0  # deviations, beyond which a truncated normal draws again; as in TensorFlow


class Normal(keras.initializers.Initializer):  # type: ignore[misc]
    """Normally distributed around `mean`; the same for the same seed and shape.

    Keras' own initializers compile a program for each shape on JAX, which takes seconds.
    """

    def __init__(
        self, stddev: float, seed: int, truncated: bool = False, mean: float = 0.0
    ) -> None:
        self.stddev, self.seed, self.truncated, self.mean = stddev, seed, truncated, mean

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        random = np.random.Generator(np.random.Philox(self.seed))
        values = random.standard_normal(shape, np.float32)
        if self.truncated:
            _redraw_far_ones(values, random)
        values *= np.float32(self.stddev)
        return keras.ops.convert_to_tensor(values + np.float32(self.mean), dtype)


def _redraw_far_ones(values: NDArray[np.float32], random: np.random.Generator) -> None:
    while (far := np.abs(values) > TRUNCATION).any():
        values[far] = random.standard_normal(int(far.sum()), np.float32)


class Filled(keras.initializers.Initializer):  # type: ignore[misc]
    """The same value everywhere."""

    def __init__(self, value: float) -> None:
        self.value = value

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        return keras.ops.convert_to_tensor(np.full(shape, self.value, np.float32), dtype)

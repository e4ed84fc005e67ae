"""How alike pictures look to a network that has learnt to see: VGG16, from a file of its weights.

Simonyan and Zisserman 2014, https://arxiv.org/abs/1409.1556; features are compared as Zhang et al.
2018 do, https://arxiv.org/abs/1801.03924, without the weights that they have learnt for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from jobs.errors import MultitrainError
from jobs.families.vgg16 import STAGES
from jobs.settings.colours import RGB
from jobs.units import by_numbers
from multitrain.networks.distances import contextual

MEAN = (103.939, 116.779, 123.68)  # of blue, green and red, which the weights are made for
KERNEL = (3, 3)
KERNEL_RANK = 4  # rows, columns, channels, filters
EPSILON = 1e-8  # keeps the divisor from 0

Array = NDArray[np.float32]


class Convolution(NamedTuple):
    """Weights: `(3, 3, channels, filters)` and `(filters,)`."""

    kernel: Any
    bias: Any


def read_vgg16(path: Path) -> list[Convolution]:
    """The convolutions of the first stages, from an HDF5 file as Keras writes them.

    Their names may be any that are in order. MultitrainError where there are no such weights.
    """
    found: list[tuple[str, Array]] = []

    def collect(name: str, each: object) -> None:
        if isinstance(each, h5py.Dataset) and each.ndim in (1, 4):
            found.append((name, np.asarray(each, np.float32)))

    try:
        with h5py.File(path) as file:
            file.visititems(collect)
    except (OSError, RuntimeError, ValueError, TypeError) as error:
        raise MultitrainError(f"perceptual: {path} cannot be read: {error}") from error
    found.sort(key=lambda each: by_numbers(each[0]))
    kernels = [array for _, array in found if array.ndim == KERNEL_RANK]
    biases = [array for _, array in found if array.ndim == 1]
    read: list[Convolution] = []
    channels = 3
    for filters in (filters for stage in STAGES for filters in stage):
        kernel, bias = (each.pop(0) if each else np.zeros(0) for each in (kernels, biases))
        if kernel.shape != (*KERNEL, channels, filters) or bias.shape != (filters,):
            raise MultitrainError(
                f"perceptual: {path} does not hold the weights of VGG16: its convolution "
                f"{len(read) + 1} would be {(*KERNEL, channels, filters)}, and it is {kernel.shape}"
            )
        read.append(Convolution(kernel, bias))
        channels = filters
    return read


class Perception:
    """Compares pictures by their features. It computes at the precision of the networks."""

    def __init__(self, convolutions: list[Convolution]) -> None:
        self._dtype = keras.config.dtype_policy().compute_dtype
        self._convolutions = [
            Convolution(*(ops.convert_to_tensor(array, self._dtype) for array in each))
            for each in convolutions
        ]

    @property
    def distances(self) -> Mapping[str, Callable[[Any, Any], Any]]:
        """Between pictures `(n, height, width, 3)` in [-1, 1], RGB, by their names in sheets."""
        return {"perceptual": self.apart, "contextual": self.out_of_context}

    def apart(self, made: Any, wanted: Any) -> Any:
        """How far pictures `(n, height, width, 3)` in [-1, 1], RGB, lie apart: a scalar."""
        distance = 0.0
        for one, other in zip(self._features(made), self._features(wanted), strict=True):
            squares = ops.sum(ops.square(_unit(one) - _unit(other)), axis=-1)
            distance += ops.mean(squares)
        return distance

    def out_of_context(self, made: Any, wanted: Any) -> Any:
        """The contextual distance between what the last stage makes of both: a scalar."""
        return contextual(self._features(made)[-1], self._features(wanted)[-1])

    def _features(self, pictures: Any) -> list[Any]:
        """What each stage makes of pictures."""
        levels = (pictures[..., ::-1] + 1.0) * 127.5 - np.array(MEAN, np.float32)
        x = ops.cast(levels, self._dtype)
        found, convolutions = [], iter(self._convolutions)
        for number, stage in enumerate(STAGES):
            if number:
                x = ops.max_pool(x, 2, 2, padding="same")
            for _ in stage:
                kernel, bias = next(convolutions)
                x = ops.relu(ops.conv(x, kernel, padding="same") + bias)
            found.append(x)
        return found


def as_rgb(values: Any) -> Any:
    """The colours of what networks make that think in rgb, rgba or grey."""
    return values[..., :RGB] if values.shape[-1] >= RGB else ops.repeat(values, RGB, axis=-1)


def _unit(features: Any) -> Any:
    """Each place's values, divided by their length; float32."""
    values = ops.cast(features, "float32")
    return values * ops.rsqrt(ops.sum(ops.square(values), axis=-1, keepdims=True) + EPSILON)

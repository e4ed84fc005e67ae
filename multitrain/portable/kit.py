"""What pictures are made larger and cut with, in networks of plain Keras.

Pictures are `(n, height, width, channels)`; rows and columns are told as pairs, before and after.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from jobs.errors import UsageError

Both = Sequence[tuple[int, int]]  # of rows and of columns


@dataclass(frozen=True)
class Turned:
    """Values whose rows and columns are still to be turned, from the last to the first.

    Networks turn them for one layer, and back; nothing is turned where that layer is, instead.
    """

    values: Any


class Kit(Protocol):
    """What a format can hold besides Keras' layers."""

    def reflected(self, x: Any, beyond: Both) -> Any:
        """So many more rows and columns, by reflection."""

    def repeated(self, x: Any) -> Any:
        """One more row and column on all sides, as the outermost ones are."""

    def channels(self, x: Any, first: int, last: int) -> Any:
        """Those from `first` to before `last`."""

    def other(self, operation: Any, arguments: Any, named: Any) -> Any:
        """An operation that no layer of Keras does."""


class Operations:
    """Keras' own operations, which `.keras`, TensorFlow and ONNX hold: for pictures of any size."""

    def reflected(self, x: Any, beyond: Both) -> Any:
        return ops.pad(x, [(0, 0), *beyond, (0, 0)], "reflect") if any(map(any, beyond)) else x

    def repeated(self, x: Any) -> Any:
        # Not by `pad`: ONNX' translator makes a dozen operations of such.
        x = ops.concatenate([x[:, :1], x, x[:, -1:]], axis=1)
        return ops.concatenate([x[:, :, :1], x, x[:, :, -1:]], axis=2)

    def channels(self, x: Any, first: int, last: int) -> Any:
        return x[..., first:last]

    def other(self, operation: Any, arguments: Any, named: Any) -> Any:
        return type(operation).from_config(operation.get_config())(*arguments, **named)


class LayersAlone:
    """Layers of Keras and nothing else, for `.h5`: pictures have one size.

    What moves rows, columns and channels is a product with zeros and ones.
    """

    def reflected(self, x: Any, beyond: Both) -> Any:
        return _padded(x, beyond, "reflect") if any(map(any, beyond)) else x

    def repeated(self, x: Any) -> Any:
        return _padded(x, [(1, 1), (1, 1)], "edge")

    def channels(self, x: Any, first: int, last: int) -> Any:
        return through(x, "nhwc,dc->nhwd", np.eye(x.shape[-1], dtype=np.float32)[first:last])

    def other(self, operation: Any, arguments: Any, named: Any) -> Any:  # noqa: ARG002
        raise UsageError(
            f"h5 holds layers alone, and this network computes {type(operation).__name__.lower()}, "
            "which is none; --format keras holds it"
        )


def with_weights(layer: Any, x: Any, *weights: NDArray[Any]) -> Any:
    """What the layer makes of `x`, by these weights."""
    made = layer(x)
    layer.set_weights(list(weights))
    return made


def through(x: Any, equation: str, matrix: NDArray[Any]) -> Any:
    """Products of `x` with a matrix, as `EinsumDense` has it: the matrix is its kernel."""
    values, rest = equation.split(",")
    factor, made = rest.split("->")
    sides = dict(zip(values, x.shape, strict=True)) | dict(zip(factor, matrix.shape, strict=True))
    shape = tuple(sides[place] for place in made[1:])
    layer = keras.layers.EinsumDense(equation, output_shape=shape, trainable=False)
    return with_weights(layer, x, matrix)


def cut(x: Any, off: Both) -> Any:
    """Without so many rows and columns."""
    return keras.layers.Cropping2D(tuple(map(tuple, off)))(x) if any(map(any, off)) else x


def _padded(x: Any, beyond: Both, mode: Literal["reflect", "edge"]) -> Any:
    rows, columns = (
        np.pad(np.eye(side, dtype=np.float32), (each, (0, 0)), mode)
        for side, each in zip(x.shape[1:3], beyond, strict=True)
    )
    return through(through(x, "nhwc,ah->nawc", rows), "nhwc,aw->nhac", columns)

"""Operations between layers as layers of Keras, where there are such; else as formats hold them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from multitrain.portable.kit import Kit, Turned, cut, through

_FUNCTIONS = {
    "Relu": "relu",
    "Relu6": "relu6",
    "Elu": "elu",
    "Selu": "selu",
    "Silu": "silu",
    "Softplus": "softplus",
    "Softmax": "softmax",
    "Tanh": "tanh",
    "Sigmoid": "sigmoid",
}


def plain(operation: Any, arguments: Any, named: Any, kit: Kit) -> Any:
    """What the operation makes of its arguments."""
    name = type(operation).__name__
    if name in _FUNCTIONS:
        return keras.layers.Activation(_FUNCTIONS[name])(*arguments)
    if name in _MADE and (made := _MADE[name](operation, arguments, kit)) is not None:
        return made
    return kit.other(operation, arguments, named)


def _cast(_: Any, arguments: Any, __: Kit) -> Any:
    """All computes in float32."""
    return arguments[0]


def _leaky(operation: Any, arguments: Any, _: Kit) -> Any:
    return keras.layers.LeakyReLU(negative_slope=operation.negative_slope)(*arguments)


def _gelu(operation: Any, arguments: Any, _: Kit) -> Any:
    return None if operation.approximate else keras.layers.Activation("gelu")(*arguments)


def _add(_: Any, arguments: Any, __: Kit) -> Any:
    return keras.layers.Add()(arguments) if _are_values(arguments) else _scaled(arguments, by=None)


def _multiply(_: Any, arguments: Any, __: Kit) -> Any:
    return (
        keras.layers.Multiply()(arguments) if _are_values(arguments) else _scaled(arguments, by=1)
    )


def _maximum(_: Any, arguments: Any, __: Kit) -> Any:
    return keras.layers.Maximum()(arguments) if _are_values(arguments) else None


def _negative(_: Any, arguments: Any, __: Kit) -> Any:
    return keras.layers.Rescaling(-1.0)(*arguments)


def _scaled(arguments: Any, by: int | None) -> Any:
    """Values and a number, multiplied or (`by` None) added; None where it is another array."""
    (values,) = (each for each in arguments if keras.backend.is_keras_tensor(each))
    (number,) = (each for each in arguments if not keras.backend.is_keras_tensor(each))
    if np.ndim(number):
        return None
    scale, offset = (1.0, float(number)) if by is None else (float(number), 0.0)
    return keras.layers.Rescaling(scale, offset)(values)


def _concatenate(operation: Any, arguments: Any, _: Kit) -> Any:
    return keras.layers.Concatenate(axis=operation.axis)(*arguments)


def _split(operation: Any, arguments: Any, kit: Kit) -> Any:
    (values,) = arguments
    parts = operation.indices_or_sections
    if operation.axis not in (-1, len(values.shape) - 1) or not isinstance(parts, int):
        return None
    each = values.shape[-1] // parts
    return [kit.channels(values, part * each, (part + 1) * each) for part in range(parts)]


def _pad(operation: Any, arguments: Any, kit: Kit) -> Any:
    batch, *beyond, channels = map(tuple, operation.pad_width)
    if any((*batch, *channels)):
        return None
    if operation.mode == "constant":
        return keras.layers.ZeroPadding2D(tuple(beyond))(arguments[0])
    return kit.reflected(arguments[0], beyond) if operation.mode == "reflect" else None


def _flip(operation: Any, arguments: Any, _: Kit) -> Any:
    (values,) = arguments
    if isinstance(values, Turned):
        return values.values
    return Turned(values) if tuple(operation.axis) == (1, 2) else None


def _part(operation: Any, arguments: Any, _: Kit) -> Any:
    """Rows and columns that are cut out."""
    values, key = arguments
    if len(key) != 3 or key[0] != slice(None) or any(each.step for each in key[1:]):
        return None
    sides = operation.input.shape[1:3]
    ranges = [each.indices(side) for each, side in zip(key[1:], sides, strict=True)]
    off = [(first, side - last) for (first, last, _), side in zip(ranges, sides, strict=True)]
    return cut(values, off)


def _einsum(operation: Any, arguments: Any, _: Kit) -> Any:
    """A matrix times values."""
    matrix, values = arguments
    if keras.backend.is_keras_tensor(matrix):
        return None
    one, rest = operation.subscripts.split(",")
    other, to = rest.split("->")
    return through(values, f"{other},{one}->{to}", np.asarray(matrix))


_MADE: dict[str, Callable[[Any, Any, Kit], Any]] = {
    "Add": _add,
    "Cast": _cast,
    "Concatenate": _concatenate,
    "Einsum": _einsum,
    "Flip": _flip,
    "Gelu": _gelu,
    "GetItem": _part,
    "LeakyRelu": _leaky,
    "Maximum": _maximum,
    "Multiply": _multiply,
    "Negative": _negative,
    "Pad": _pad,
    "Split": _split,
}


def _are_values(arguments: Any) -> bool:
    return all(map(keras.backend.is_keras_tensor, arguments))

"""Layers of ours as layers of Keras that make the same of the same, when they do not train.

A layer that is not known here raises MultitrainError, which tests meet before users do.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from jobs.errors import MultitrainError
from multitrain.networks.convolutions import Convolution, PaddedConvolution
from multitrain.networks.normalization import (
    EPSILON,
    PIXEL_EPSILON,
    AxesNormalization,
    FusedBatchNormalization,
    PixelNormalization,
)
from multitrain.networks.regularization import RandomLayer
from multitrain.networks.spectral import Linear
from multitrain.networks.transposed import ExactConv2DTranspose
from multitrain.networks.upsampling import (
    Bilinear,
    EnlargedConvolution,
    FusedConvolution,
    SubpixelConvolution,
)
from multitrain.portable.kit import Kit, Turned, cut, with_weights

Array = NDArray[np.float32]
IMAGE_AXES = (1, 2)


@singledispatch
def plain(layer: Any, x: Any, kit: Kit) -> Any:  # noqa: ARG001
    """What the `layer` makes of `x`, by layers of Keras and what the `kit` has besides."""
    if not type(layer).__module__.startswith("keras."):
        raise unknown(layer)
    return with_weights(type(layer).from_config(layer.get_config()), x, *layer.get_weights())


@plain.register
def _(layer: RandomLayer, x: Any, kit: Kit) -> Any:  # noqa: ARG001
    return x


@plain.register
def _(layer: Linear, x: Any, kit: Kit) -> Any:  # noqa: ARG001
    return _weighted(keras.layers.Dense(layer.units, **_given(layer)), layer, x)


@plain.register
def _(layer: Convolution, x: Any, kit: Kit) -> Any:  # noqa: ARG001
    if type(layer) is not Convolution:
        raise unknown(layer)
    stride = 1 if layer.dilation > 1 else layer.stride
    convolution = keras.layers.Conv2D(
        layer.filters,
        layer.kernel_size,
        strides=stride,
        padding="same",
        dilation_rate=layer.dilation,
        **_given(layer),
    )
    x = _weighted(convolution, layer, x)
    # Every so many pixels: the largest of one.
    return x if stride == layer.stride else keras.layers.MaxPooling2D(1, layer.stride)(x)


@plain.register
def _(layer: PaddedConvolution, x: Any, kit: Kit) -> Any:  # noqa: ARG001
    if layer.beyond:
        x = keras.layers.ZeroPadding2D(layer.beyond)(x)
    convolution = keras.layers.Conv2D(
        layer.filters, layer.kernel_size, strides=layer.strides, padding="valid", **_given(layer)
    )
    return _weighted(convolution, layer, x)


@plain.register
def _(layer: ExactConv2DTranspose, x: Any, kit: Kit) -> Any:  # noqa: ARG001
    if layer.dilation > 1:
        return _dilated(layer, x)
    kernel, stride = _kernel(layer), layer.stride
    is_turned = isinstance(x, Turned)
    if is_turned:  # what reaches from a pixel to the end now reaches to the start
        kernel = np.ascontiguousarray(kernel[::-1, ::-1])
    off = []
    sides = zip(layer.input.shape[1:3], layer.kernel_size, layer.target, strict=True)
    for side, length, target in sides:
        before = max((side - 1) * stride + length - target, 0) // 2
        after = side * stride + max(length - stride, 0) - before - target
        off.append((after, before) if is_turned else (before, after))
    grown = keras.layers.Conv2DTranspose(
        layer.filters, kernel.shape[:2], strides=stride, padding="valid", **_given(layer)
    )
    values = x.values if is_turned else x
    made = cut(with_weights(grown, values, kernel, *_bias(layer)), off)
    return Turned(made) if is_turned else made


def _dilated(layer: ExactConv2DTranspose, x: Any) -> Any:
    """As `multitrain.networks.transposed` has it: one by the turned kernel."""
    beyond = [(side - 1) * layer.dilation for side in layer.kernel_size]
    padded = keras.layers.ZeroPadding2D(tuple((each - each // 2, each // 2) for each in beyond))(x)
    kernel = np.ascontiguousarray(_kernel(layer)[::-1, ::-1].transpose(0, 1, 3, 2))
    return _convolved(layer, padded, kernel)


@plain.register
def _(layer: EnlargedConvolution, x: Any, kit: Kit) -> Any:
    if layer.stride > 1 and layer.bilinear:
        x = _between(x, layer.stride, kit)
    elif layer.stride > 1:
        x = keras.layers.UpSampling2D(layer.stride)(x)
    small = layer.input.shape[1:3]
    x = cut(x, _beyond(layer.target, [side * layer.stride for side in small]))
    beyond = [(side - 1) * layer.dilation for side in layer.kernel_size]
    padded = kit.reflected(x, [(each // 2, each - each // 2) for each in beyond])
    return _convolved(layer, padded, _kernel(layer))


@plain.register
def _(layer: Bilinear, x: Any, kit: Kit) -> Any:
    return _between(x, layer.times, kit)


@plain.register
def _(layer: keras.layers.PReLU, x: Any, kit: Kit) -> Any:  # noqa: ARG001
    made = keras.layers.PReLU(shared_axes=layer.shared_axes, name=layer.name)
    return with_weights(made, x, *layer.get_weights())


@plain.register
def _(layer: SubpixelConvolution, x: Any, kit: Kit) -> Any:  # noqa: ARG001
    convolution = keras.layers.Conv2D(
        layer.filters,
        layer.kernel_size,
        padding="same",
        dilation_rate=layer.dilation,
        **_given(layer),
    )
    values, times = _weighted(convolution, layer, x), layer.stride
    channels = layer.filters // times**2
    # Each value to its own pixel and channel: a square of a transposed convolution.
    squares = np.eye(layer.filters, dtype=np.float32).reshape(times, times, channels, layer.filters)
    spread = keras.layers.Conv2DTranspose(
        channels, times, strides=times, padding="valid", use_bias=False, trainable=False
    )
    large = [side * times for side in layer.input.shape[1:3]]
    return cut(with_weights(spread, values, squares), _beyond(layer.target, large))


@plain.register
def _(layer: FusedConvolution, x: Any, kit: Kit) -> Any:
    """A pixel reaches four of each row and column of the picture that is twice as large.

    The outer ones by the outer value of the kernel, the inner ones, which also meet its copy beside
    it, by two.
    """
    kernel = _kernel(layer)
    for axis in (0, 1):
        first, second, third = np.split(kernel, 3, axis=axis)
        kernel = np.concatenate([third, second + third, first + second, first], axis=axis)
    kernel = kernel.transpose(0, 1, 3, 2)
    grown = keras.layers.Conv2DTranspose(
        layer.filters, kernel.shape[:2], strides=2, padding="valid", **_given(layer)
    )
    large = with_weights(grown, kit.repeated(x), kernel, *_bias(layer))
    # Those of the pixel before the first begin three pixels before the picture.
    sides = [2 * side + 6 for side in layer.input.shape[1:3]]
    return cut(
        large,
        [(3, side - 3 - target) for side, target in zip(sides, layer.target, strict=True)],
    )


@plain.register
def _(layer: FusedBatchNormalization, x: Any, kit: Kit) -> Any:  # noqa: ARG001
    made = keras.layers.BatchNormalization(
        momentum=layer.momentum, epsilon=layer.epsilon, name=layer.name
    )
    return with_weights(made, x, *layer.get_weights())


@plain.register
def _(layer: AxesNormalization, x: Any, kit: Kit) -> Any:  # noqa: ARG001
    scales = bool(layer.weights)
    made = keras.layers.GroupNormalization(
        -1 if layer.axes == IMAGE_AXES else 1,
        epsilon=EPSILON,
        center=scales,
        scale=scales,
        name=layer.name,
    )
    return with_weights(made, x, *layer.get_weights())


@plain.register
def _(layer: PixelNormalization, x: Any, kit: Kit) -> Any:  # noqa: ARG001
    return keras.layers.RMSNormalization(epsilon=PIXEL_EPSILON, name=layer.name)(x)


def _between(x: Any, times: int, kit: Kit) -> Any:
    """So many times as large, by straight lines between the pixels.

    As a transposed convolution: Keras' own resizing cannot be written for pictures of any size.
    """
    side = 2 * times - times % 2
    places = np.arange(side) - (side - 1) / 2
    lines = (1.0 - np.abs(places) / times).astype(np.float32)
    channels = x.shape[-1]
    kernel = np.multiply.outer(np.outer(lines, lines), np.eye(channels, dtype=np.float32))
    grown = keras.layers.Conv2DTranspose(
        channels, side, strides=times, padding="valid", use_bias=False, trainable=False
    )
    before = times + (side - times) // 2
    off = (before, (side + times) // 2)
    return cut(with_weights(grown, kit.repeated(x), kernel), [off, off])


def unknown(part: Any) -> MultitrainError:
    """The reason for a part of a network that nobody has said how to write."""
    return MultitrainError(
        f"this network has the part {type(part).__name__} of multitrain's own, which no file holds"
    )


def _given(layer: Any) -> dict[str, Any]:
    return {"use_bias": layer.use_bias, "name": layer.name}


def _convolved(layer: Any, x: Any, kernel: Array) -> Any:
    """A convolution without padding by a kernel that need not be the layer's own."""
    convolution = keras.layers.Conv2D(
        layer.filters,
        kernel.shape[:2],
        padding="valid",
        dilation_rate=layer.dilation,
        **_given(layer),
    )
    return with_weights(convolution, x, kernel, *_bias(layer))


def _weighted(made: Any, layer: Any, x: Any) -> Any:
    return with_weights(made, x, _kernel(layer), *_bias(layer))


def _kernel(layer: Any) -> Array:
    """The weights that the layer computes with: those that it has learnt, or normalized ones."""
    kernel = ops.convert_to_tensor(layer.kernel)
    if layer.spectral is not None:
        kernel = layer.spectral(kernel, training=False)
    return np.asarray(kernel)


def _bias(layer: Any) -> list[Array]:
    return [np.asarray(layer.bias)] if layer.use_bias else []


def _beyond(target: Sequence[int], sides: Sequence[int]) -> list[tuple[int, int]]:
    """What stands over at the right and at the bottom."""
    return [(0, side - each) for side, each in zip(sides, target, strict=True)]

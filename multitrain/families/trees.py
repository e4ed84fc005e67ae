"""Trees of convolutions from their plan (`jobs.families.trees`), with fresh weights.

Layers are numbered from 0 in their names.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial, reduce
from itertools import accumulate
from typing import Any

import keras
from keras import ops

from jobs.families.layer import PRELU, Layer
from jobs.families.trees import (
    POOL,
    Activated,
    Branches,
    Enlarged,
    Part,
    Parts,
    Pool,
    Residual,
)
from multitrain.families.adversaries import layer_name
from multitrain.networks.activations import activation
from multitrain.networks.convolutions import Convolution
from multitrain.networks.initializers import Filled, Normal
from multitrain.networks.upsampling import (
    Bilinear,
    EnlargedConvolution,
    FusedConvolution,
    SubpixelConvolution,
)

SLOPE = 0.25  # of PReLUs at the start; He et al. 2015, https://arxiv.org/abs/1502.01852

_MERGED: Mapping[str, Callable[[Sequence[Any]], Any]] = {
    "concat": lambda made: ops.concatenate(made, axis=-1),
    "sums": lambda made: ops.concatenate(list(accumulate(made, ops.add)), axis=-1),
    "sum": lambda made: reduce(ops.add, made),
    "mean": lambda made: reduce(ops.add, made) * (1.0 / len(made)),
    "product": lambda made: reduce(ops.multiply, made),
    "max": lambda made: reduce(ops.maximum, made),
}


def enlarged(x: Any, times: int, *, is_smooth: bool) -> Any:
    """So many times as large without any weights; float32 stays float32."""
    if times == 1:
        return x
    if is_smooth:
        return Bilinear(times, dtype=x.dtype)(x)
    return keras.layers.UpSampling2D(times, dtype=x.dtype)(x)


Make = Callable[[Layer], Callable[[Any], Any]]


def made(parts: Parts, x: Any, gain: float, seeds: Iterator[int]) -> Any:
    """What planned parts make of `x`; their first weights have this `gain`."""
    return _made(parts, x, partial(_layer_of, gain=gain, seeds=seeds))


def _made(parts: Parts, x: Any, make: Make) -> Any:
    for part in parts:
        x = _made_by(part, x, make)
    return x


def _made_by(part: Part, x: Any, make: Make) -> Any:
    match part:
        case Layer():
            return make(part)(x)
        case Residual():
            made = _made(part.parts, x, make)
            return x + (made if part.by == 1.0 else made * part.by)
        case Branches():
            return _MERGED[part.merging]([_made(each, x, make) for each in part.each])
        case Activated():
            return activation(part.activation)(x)
        case Pool():
            return keras.layers.MaxPooling2D(POOL)(x)
        case Enlarged():
            return enlarged(x, part.times, is_smooth=part.is_smooth)
    raise TypeError(f"{part} has not been planned")


def _layer_of(layer: Layer, gain: float, seeds: Iterator[int]) -> Callable[[Any], Any]:
    """A convolution with its activation."""
    assert layer.kernel is not None, "only linear layers have none"
    meets = layer.kernel[0] * layer.kernel[1] * layer.input.channels
    given: dict[str, Any] = {
        "filters": layer.filters,
        "use_bias": layer.bias,
        "kernel_initializer": Normal(gain * math.sqrt(2.0 / meets), next(seeds)),
        "name": layer_name(layer),
    }
    size: dict[str, Any] = {"height": layer.output.height, "width": layer.output.width}
    match layer.kind:
        case "conv":
            convolution = Convolution(kernel=layer.kernel, dilation=layer.dilation, **given)
        case "subpixel":
            convolution = SubpixelConvolution(
                kernel=layer.kernel, stride=layer.stride, **given, **size
            )
        case "fused-upconv":
            convolution = FusedConvolution(**given, **size)
        case _:
            convolution = EnlargedConvolution(
                kernel=layer.kernel, stride=layer.stride, bilinear=False, **given, **size
            )
    if layer.activation is None:
        return convolution
    follows = _activation(layer)
    return lambda x: follows(convolution(x))


def _activation(layer: Layer) -> Callable[[Any], Any]:
    assert layer.activation is not None, "asked for where there is one"
    if layer.activation.name != PRELU:
        return activation(layer.activation)
    slopes: Callable[[Any], Any] = keras.layers.PReLU(
        Filled(SLOPE), shared_axes=(1, 2), name=f"{PRELU}_{layer.number - 1}"
    )
    return slopes

"""Layers as they were planned, of families that make pictures into pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from keras import ops

from jobs.families.layer import Layer
from multitrain.families.adversaries import layer_name
from multitrain.networks.initializers import Normal
from multitrain.networks.normalization import normalization
from multitrain.networks.spectral import SpectralNorm
from multitrain.networks.transposed import OUTPUTS, ExactConv2DTranspose
from multitrain.networks.upsampling import EnlargedConvolution, SubpixelConvolution

STDDEV = 0.02  # of weights around 0, and of scales around 1


def enlarging(layer: Layer, seeds: Iterator[int]) -> Any:
    """A convolution that enlarges, of any kind."""
    size: dict[str, Any] = {
        "height": layer.output.height,
        "width": layer.output.width,
        "stride": layer.stride,
    }
    kinds: dict[str, Callable[..., Any]] = {
        "deconv": ExactConv2DTranspose,
        "subpixel": SubpixelConvolution,
        "upconv": partial(EnlargedConvolution, bilinear=False),
        "upconv-bilinear": partial(EnlargedConvolution, bilinear=True),
    }
    outputs = OUTPUTS if layer.kind == "deconv" else -1
    made = kinds[layer.kind](**given(layer, seeds, outputs), **size)
    assert layer.kernel is not None, "it has one"
    is_lopsided = layer.kind == "deconv" and (layer.kernel[0] - layer.stride) % 2
    return partial(_from_the_end, made) if is_lopsided else made


def _from_the_end(layer: Any, x: Any) -> Any:
    """Of rows and columns from the last to the first.

    A transposed convolution whose kernel does not lie evenly on its stride puts what stands over at
    the end, and one that halves evenly padded pictures has left it out at the start.
    """
    return ops.flip(layer(ops.flip(x, axis=(1, 2))), axis=(1, 2))


def given(layer: Layer, seeds: Iterator[int], outputs: int = -1) -> dict[str, Any]:
    """What all convolutions are built of; `outputs` is the axis of their kernels for these."""
    spectral = layer.normalization == "spectral"
    return {
        "filters": layer.filters,
        "kernel": layer.kernel,
        "use_bias": layer.bias,
        "kernel_initializer": Normal(STDDEV, next(seeds)),
        "spectral": SpectralNorm(next(seeds), outputs) if spectral else None,
        "name": layer_name(layer),
    }


def normalized(x: Any, layer: Layer, seeds: Iterator[int]) -> Any:
    """`x` after the layer's normalization, where it has one."""
    scales = Normal(STDDEV, next(seeds), mean=1.0)
    normalizes = normalization(layer.normalization, f"norm_{layer.number - 1}", scales)
    return x if normalizes is None else normalizes(x)

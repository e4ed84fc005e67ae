"""Encoder and decoder from their plan (`jobs.families.autoencoder.layers`), with fresh weights.

Layers are numbered from 0 in their names, through both networks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import keras
from keras import ops

from jobs.families.autoencoder.layers import SIGMOID, Coding
from jobs.families.autoencoder.plan import DECODER, ENCODER
from jobs.families.layer import Layer
from multitrain.families.adversaries import layer_name
from multitrain.families.autoencoder.remembering import remembering
from multitrain.networks.activations import activation
from multitrain.networks.convolutions import Convolution, PaddedConvolution
from multitrain.networks.initializers import Normal
from multitrain.networks.padding import Cut
from multitrain.networks.transposed import UnpaddedConv2DTranspose
from multitrain.networks.upsampling import FusedConvolution


def build_encoder(plan: Coding, seeds: Iterator[int]) -> keras.Model:
    """Pictures `(n, height, width, channels)` in [-1, 1] to latents, float32 of any size."""
    width, height = plan.picture
    inputs = keras.Input((height, width, plan.encoder[0].input.channels))
    x = Cut.of(inputs, plan.size).padded
    for layer in plan.encoder:
        x = _layer(layer, plan, seeds)(x)
        if layer.activation:
            x = activation(layer.activation)(x)
    return keras.Model(inputs, x, name=ENCODER)


def build_decoder(plan: Coding, seeds: Iterator[int], frames: int = 1) -> keras.Model:
    """Latents to values `(n, height, width, channels)` in [0, 1], float32.

    One that remembers is given clips of latents `(n, frames, ...)`, and what goes on into them; it
    makes values of all frames, one by one, `(n * frames, ...)`, and what goes on from the clips.
    """
    latents = plan.latents
    if plan.remembers:
        gates, *layers = plan.decoder
        clips = keras.Input((frames, latents.height, latents.width, latents.channels))
        before = keras.Input((plan.state.height, plan.state.width, plan.state.channels))
        x, after = remembering(_layer(gates, plan, seeds), clips, before)
        return keras.Model([clips, before], [_decoded(x, layers, plan, seeds), after], name=DECODER)
    inputs = keras.Input((latents.height, latents.width, latents.channels))
    return keras.Model(inputs, _decoded(inputs, plan.decoder, plan, seeds), name=DECODER)


def _decoded(x: Any, layers: Sequence[Layer], plan: Coding, seeds: Iterator[int]) -> Any:
    for layer in layers:
        x = _layer(layer, plan, seeds)(x)
        if layer.activation and layer.activation != SIGMOID:
            x = activation(layer.activation)(x)
    return _cut_back(ops.sigmoid(ops.cast(x, "float32")), plan)


def _cut_back(made: Any, plan: Coding) -> Any:
    """The part of the padded picture that is the picture."""
    (width, height), (whole_width, whole_height) = plan.picture, plan.size
    top, left = (whole_height - height) // 2, (whole_width - width) // 2
    return made[:, top : top + height, left : left + width]


def _layer(layer: Layer, plan: Coding, seeds: Iterator[int]) -> Any:
    """A convolution of any kind, without what follows it."""
    assert layer.kernel is not None, "only linear layers have none"
    given: dict[str, Any] = {
        "filters": layer.filters,
        "kernel_initializer": Normal(_deviation(layer), next(seeds)),
        "name": layer_name(layer),
    }
    target = {"height": layer.output.height, "width": layer.output.width}
    match layer.kind:
        case "deconv":
            return UnpaddedConv2DTranspose(
                kernel=layer.kernel, stride=layer.stride, **target, **given
            )
        case "fused-upconv":
            return FusedConvolution(**target, **given)
    if layer.activation is None:  # bfloat16 has too few digits for whole numbers of latents
        given["dtype"] = "float32"
    is_as_large = layer.output.height == layer.input.height  # as are the gates of any memory
    if plan.pads or is_as_large:
        return Convolution(kernel=layer.kernel, stride=layer.stride, **given)
    return PaddedConvolution(kernel=layer.kernel, stride=layer.stride, beyond=0, **given)


def _deviation(layer: Layer) -> float:
    """Of weights that keep the size of values, through ReLUs by He et al. 2015,
    https://arxiv.org/abs/1502.01852.
    """
    assert layer.kernel is not None, "only linear layers have none"
    meets: float = layer.input.channels * layer.kernel[0] * layer.kernel[1]
    if layer.kind == "deconv":  # of the kernels' values, so many meet in each pixel
        meets = meets / layer.stride**2
    is_bent = layer.activation is not None and layer.activation != SIGMOID
    return math.sqrt((2.0 if is_bent else 1.0) / meets)

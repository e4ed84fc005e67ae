"""pix2pix's generator from its plan (`jobs.families.pix2pix.layers`), with fresh weights.

Weights and scales start as Isola et al. 2017 say. Layers are numbered from 0 in their names.
"""

from __future__ import annotations

from collections.abc import Iterator

import keras
from keras import ops

from jobs.families.pix2pix.layers import LEAKY, RELU, UNet
from multitrain.families.parts import enlarging, given, normalized
from multitrain.networks.activations import activation
from multitrain.networks.convolutions import Convolution
from multitrain.networks.padding import Cut
from multitrain.networks.regularization import Dropout


def build_generator(plan: UNet, width: int, height: int, seeds: Iterator[int]) -> keras.Model:
    """Inputs `(n, height, width, channels)` in [-1, 1] to pictures of the same shape, float32."""
    channels = plan.downs[0].input.channels
    inputs = keras.Input((height, width, channels))
    cut = Cut.of(inputs, plan.size)
    x, maps = cut.padded, []
    for layer in plan.downs:
        x = normalized(Convolution(**given(layer, seeds), stride=2)(x), layer, seeds)
        maps.append(activation(RELU)(x))  # as the way up sees it
        is_innermost = layer is plan.downs[-1]
        x = maps.pop() if is_innermost else activation(layer.activation or LEAKY)(x)
    for layer in plan.ups:
        x = normalized(enlarging(layer, seeds)(x), layer, seeds)
        if layer.activation:
            x = activation(layer.activation)(x)
        if layer.dropout:
            x = Dropout(layer.dropout, next(seeds), name=f"dropout_{layer.number - 1}")(x)
        if maps:
            x = ops.concatenate([maps.pop(), x], axis=-1)
    return keras.Model(inputs, ops.tanh(ops.cast(cut.back(x), "float32")), name="generator")

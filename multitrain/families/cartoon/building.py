"""The generator of white-box cartoonization from its plan (`jobs.families.cartoon.layers`).

With fresh weights; layers are numbered from 0 in their names.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import keras
from keras import ops

from jobs.families.cartoon.layers import LEAKY, ResUNet
from jobs.families.layer import Layer
from jobs.settings.translation import Filter
from multitrain.families.parts import given
from multitrain.networks.activations import activation
from multitrain.networks.convolutions import PaddedConvolution
from multitrain.networks.initializers import Normal
from multitrain.networks.padding import Cut, reflected
from multitrain.networks.smoothing import smoothed
from multitrain.networks.upsampling import Bilinear


def build_generator(
    plan: ResUNet, width: int, height: int, seeds: Iterator[int], by: Filter
) -> keras.Model:
    """Pictures `(n, height, width, channels)` in [-1, 1] to others of the same shape, float32.

    What is made is smoothed `by` the filter, with the picture as its guide; nothing else keeps it
    between -1 and 1.
    """
    inputs = keras.Input((height, width, plan.first.input.channels))
    cut = Cut.of(inputs, plan.size)
    x = _made(plan.first, cut.padded, seeds)
    ways_out = []
    for halving, widening in plan.downs:
        ways_out.append(x)
        x = _made(widening, _made(halving, x, seeds), seeds)
    for one, other in plan.blocks:
        x = x + _made(other, _made(one, x, seeds), seeds)
    first, *others = plan.ups
    for layer in first:
        x = _made(layer, x, seeds)
    for layers in others:
        x = Bilinear()(x) + ways_out.pop()
        for layer in layers:
            x = _made(layer, x, seeds)
    drawn = ops.cast(cut.back(_made(plan.last, x, seeds)), "float32")
    seen = ops.cast(inputs, "float32")
    return keras.Model(inputs, smoothed(by, drawn, seen), name="generator")


def _made(layer: Layer, x: Any, seeds: Iterator[int]) -> Any:
    """As large as before, or half of it. Beyond their edges, pictures are their own reflection."""
    assert layer.kernel is not None, "only linear layers have none"
    reach = layer.kernel[0] // 2
    as_planned = given(layer, seeds) | {"kernel_initializer": _he(layer, next(seeds))}
    convolution = PaddedConvolution(**as_planned, stride=layer.stride, beyond=0)
    made = convolution(reflected(x, [(reach, reach)] * 2))
    return activation(layer.activation)(made) if layer.activation else made


def _he(layer: Layer, seed: int) -> Normal:
    """Weights with which values keep their size from layer to layer: nothing normalizes them here.

    He et al. 2015, equation 14, https://arxiv.org/abs/1502.01852.
    """
    meets = layer.weights // layer.filters
    return Normal(math.sqrt(2.0 / ((1.0 + LEAKY["slope"] ** 2) * meets)), seed)

"""CycleGAN's generators from their plan (`jobs.families.cyclegan.layers`), with fresh weights.

Layers are numbered from 0 in their names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
from keras import ops

from jobs.families.cyclegan.layers import ResNet
from jobs.families.layer import Layer
from multitrain.families.parts import enlarging, given, normalized
from multitrain.networks.activations import activation
from multitrain.networks.convolutions import PaddedConvolution
from multitrain.networks.padding import Cut, reflected


def build_generator(
    plan: ResNet, width: int, height: int, seeds: Iterator[int], name: str
) -> keras.Model:
    """Pictures `(n, height, width, channels)` in [-1, 1] to others of the same shape, float32."""
    inputs = keras.Input((height, width, plan.first.input.channels))
    cut = Cut.of(inputs, plan.size)
    x = _finished(_reflecting(plan.first, cut.padded, seeds), plan.first, seeds)
    for layer in plan.downs:
        x = _finished(PaddedConvolution(**given(layer, seeds), stride=2)(x), layer, seeds)
    for one, other in plan.blocks:
        inner = _finished(_reflecting(one, x, seeds), one, seeds)
        x = x + _finished(_reflecting(other, inner, seeds), other, seeds)
    for layer in plan.ups:
        x = _finished(enlarging(layer, seeds)(x), layer, seeds)
    x = _reflecting(plan.last, x, seeds)
    return keras.Model(inputs, ops.tanh(ops.cast(cut.back(x), "float32")), name=name)


def _reflecting(layer: Layer, x: Any, seeds: Iterator[int]) -> Any:
    """A convolution of pictures that go on beyond their edges as their own reflection."""
    assert layer.kernel is not None, "only linear layers have none"
    reach = layer.kernel[0] // 2
    convolution = PaddedConvolution(**given(layer, seeds), beyond=0)
    return convolution(reflected(x, [(reach, reach)] * 2))


def _finished(x: Any, layer: Layer, seeds: Iterator[int]) -> Any:
    x = normalized(x, layer, seeds)
    return activation(layer.activation)(x) if layer.activation else x

"""The network between two frames, from its plan (`jobs.families.inbetween.layers`).

It begins with what blending gives: its last layers make nothing yet, so nothing moves, both frames
show each place, and no colours are corrected.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
from keras import ops

from jobs.families.inbetween.layers import HALVINGS, LEAKY, MOTION, Interpolator
from jobs.families.layer import Layer
from multitrain.families.adversaries import layer_name
from multitrain.networks.activations import activation
from multitrain.networks.convolutions import Convolution
from multitrain.networks.initializers import Filled, Normal
from multitrain.networks.padding import Cut
from multitrain.networks.upsampling import Bilinear
from multitrain.networks.warping import Between, Blend


def build_interpolator(plan: Interpolator, seeds: Iterator[int]) -> keras.Model:
    """From two frames and the time between them to the frame at that time.

    It is given `(n, height, width, 2 * channels + 1)`: the values of both, in [-1, 1], and at each
    pixel the time, from 0, the first, to 1, the second. It makes `(n, height, width, channels)`
    float32; nothing keeps its values between -1 and 1.
    """
    inputs = keras.Input((plan.seen.height, plan.seen.width, plan.given))
    cut = Cut.of(inputs, plan.size)
    whole = cut.padded
    find, correct = (_stack(layers, seeds) for layers in (plan.motion, plan.colours))
    small = _halved(whole, HALVINGS)
    motion, shown = _nothing(small)
    moved = small[..., :-1]
    for times in range(HALVINGS, 0, -1):
        if times < HALVINGS:
            motion, shown = _twice_as_large(motion, shown)
            moved = Between()(_halved(whole, times), motion)
        found = find(ops.concatenate([moved, motion, shown], axis=-1))
        motion, shown = motion + found[..., :MOTION], shown + found[..., MOTION:]
    motion, shown = _twice_as_large(motion, shown)
    moved = Between()(whole, motion)
    corrections = correct(ops.concatenate([moved, shown], axis=-1))
    made = Blend()(moved, shown, whole[..., -1:], corrections)
    return keras.Model(inputs, cut.back(made), name="generator")


def _halved(whole: Any, times: int) -> Any:
    """Halved so often."""
    return ops.average_pool(whole, 1 << times, 1 << times)


def _nothing(small: Any) -> tuple[Any, Any]:
    """No motion, and neither picture shows a place more than the other."""
    still = ops.zeros_like(small[..., :1])
    return ops.concatenate([still] * MOTION, axis=-1), still


def _twice_as_large(motion: Any, shown: Any) -> tuple[Any, Any]:
    """For pictures of twice as many pixels a side, in which all moves by twice as many."""
    larger = Bilinear(dtype="float32")(motion)
    return larger + larger, Bilinear(dtype="float32")(shown)


def _stack(layers: Sequence[Layer], seeds: Iterator[int]) -> Callable[[Any], Any]:
    """What these layers make, float32; each but the first and the last adds to what it sees."""
    first, *inner = (_hidden(layer, seeds) for layer in layers[:-1])
    last = _convolution(layers[-1], Filled(0.0))

    def made(x: Any) -> Any:
        x = first(x)
        for layer in inner:
            x = x + layer(x)
        return ops.cast(last(x), "float32")

    return made


def _hidden(layer: Layer, seeds: Iterator[int]) -> Callable[[Any], Any]:
    """With which values keep their size; He et al. 2015, https://arxiv.org/abs/1502.01852."""
    meets = layer.weights // layer.filters
    convolution = _convolution(layer, Normal(math.sqrt(2.0 / meets), next(seeds)))
    follows = activation(LEAKY)
    return lambda x: follows(convolution(x))


def _convolution(layer: Layer, initializer: Any) -> Convolution:
    assert layer.kernel is not None, "only linear layers have none"
    return Convolution(
        filters=layer.filters,
        kernel=layer.kernel,
        use_bias=layer.bias,
        kernel_initializer=initializer,
        name=layer_name(layer),
    )

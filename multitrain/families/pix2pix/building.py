"""pix2pix's networks from their plans (`jobs.families.pix2pix.layers`), with fresh weights.

Weights and scales start as Isola et al. 2017 say. Layers are numbered from 0 in their names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import keras
from keras import ops

from jobs.families.layer import Layer
from jobs.families.pix2pix.layers import LEAKY, RELU, UNet
from jobs.settings.colours import CHANNELS
from jobs.settings.spec import JobSpec
from multitrain.families.adversaries import freeze, layer_name
from multitrain.networks.activations import activation
from multitrain.networks.augmentation import DiffAugment
from multitrain.networks.convolutions import Convolution, PaddedConvolution
from multitrain.networks.initializers import Normal
from multitrain.networks.normalization import normalization
from multitrain.networks.regularization import Dropout, Noise
from multitrain.networks.spectral import SpectralNorm
from multitrain.networks.transposed import OUTPUTS, ExactConv2DTranspose
from multitrain.networks.upsampling import EnlargedConvolution, SubpixelConvolution

STDDEV = 0.02  # of weights around 0, and of scales around 1


def build_generator(plan: UNet, width: int, height: int, seeds: Iterator[int]) -> keras.Model:
    """Inputs `(n, height, width, channels)` in [-1, 1] to pictures of the same shape, float32."""
    channels = plan.downs[0].input.channels
    x = inputs = keras.Input((height, width, channels))
    beyond = [
        (missing // 2, missing - missing // 2)
        for missing in (plan.size.height - height, plan.size.width - width)
    ]
    if any(map(any, beyond)):
        x = ops.pad(x, [(0, 0), *beyond, (0, 0)], "reflect")
    maps = []
    for layer in plan.downs:
        x = _normalized(Convolution(**_given(layer, seeds), stride=2)(x), layer, seeds)
        maps.append(activation(RELU)(x))  # as the way up sees it
        is_innermost = layer is plan.downs[-1]
        x = maps.pop() if is_innermost else activation(layer.activation or LEAKY)(x)
    for layer in plan.ups:
        x = _normalized(_enlarging(layer, seeds)(x), layer, seeds)
        if layer.activation:
            x = activation(layer.activation)(x)
        if layer.dropout:
            x = Dropout(layer.dropout, next(seeds), name=f"dropout_{layer.number - 1}")(x)
        if maps:
            x = ops.concatenate([maps.pop(), x], axis=-1)
    (top, _), (left, _) = beyond
    cut = x[:, top : top + height, left : left + width]
    return keras.Model(inputs, ops.tanh(ops.cast(cut, "float32")), name="generator")


def build_discriminator(
    layers: Sequence[Layer], spec: JobSpec, seeds: Iterator[int]
) -> keras.Model:
    """Pictures `(n, height, width, channels)` in [-1, 1] to logits and features.

    Where it is conditional, the inputs are the first channels. Logits are `(n, places)`, features
    the means over all places of what the last layer sees, `(n, channels)`; both are float32. The
    layers that the job freezes are not trainable.
    """
    first, last = layers[0].input, layers[-1]
    x = pictures = keras.Input((first.height, first.width, first.channels))
    x = _disturbed(x, spec, seeds)
    for layer in layers[:-1]:
        x = _normalized(_judging(layer, seeds)(x), layer, seeds)
        x = activation(layer.activation or LEAKY)(x)
    features = ops.mean(ops.cast(x, "float32"), axis=(1, 2))
    logits = keras.layers.Flatten(name="logits")(_judging(last, seeds)(x))
    network = keras.Model(pictures, (ops.cast(logits, "float32"), features), name="discriminator")
    freeze(network, layers[: spec.freeze_d])
    return network


def _disturbed(x: Any, spec: JobSpec, seeds: Iterator[int]) -> Any:
    """What the discriminator's first layer sees in training.

    Inputs and pictures stay where they are to each other; colours are changed of pictures alone.
    """
    kinds, has_alpha = spec.augmentations, spec.colour_model == "rgba"
    if "color" in kinds:
        colours = CHANNELS[spec.colour_model].network
        inputs, pictures = x[..., :-colours], x[..., -colours:]
        recoloured = DiffAugment(["color"], has_alpha, next(seeds), name="recolour")(pictures)
        x = ops.concatenate([inputs, recoloured], axis=-1)
    if moving := [kind for kind in kinds if kind != "color"]:
        x = DiffAugment(moving, has_alpha, next(seeds), name="diffaugment")(x)
    if spec.instance_noise:
        noise = Noise(spec.instance_noise, next(seeds), dtype="float32", name="instance_noise")
        x = noise(x)
    return x


def _enlarging(layer: Layer, seeds: Iterator[int]) -> Any:
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
    return kinds[layer.kind](**_given(layer, seeds, outputs), **size)


def _judging(layer: Layer, seeds: Iterator[int]) -> Any:
    return PaddedConvolution(**_given(layer, seeds), stride=layer.stride)


def _given(layer: Layer, seeds: Iterator[int], outputs: int = -1) -> dict[str, Any]:
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


def _normalized(x: Any, layer: Layer, seeds: Iterator[int]) -> Any:
    scales = Normal(STDDEV, next(seeds), mean=1.0)
    normalizes = normalization(layer.normalization, f"norm_{layer.number - 1}", scales)
    return x if normalizes is None else normalizes(x)

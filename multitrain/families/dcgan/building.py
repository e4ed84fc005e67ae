"""Generator and discriminator from their plans (`jobs.families.dcgan.layers`), with fresh weights.

Weights start as Radford et al. 2015 say. Layers are numbered from 0 in their names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import keras
from keras import ops

from jobs.families.layer import Layer
from jobs.settings.spec import JobSpec
from multitrain.families.adversaries import freeze, layer_name
from multitrain.networks.activations import activation
from multitrain.networks.augmentation import DiffAugment
from multitrain.networks.convolutions import Convolution, SeparableConvolution
from multitrain.networks.initializers import Normal
from multitrain.networks.normalization import normalization
from multitrain.networks.regularization import Dropout, Noise
from multitrain.networks.spectral import Linear, SpectralNorm
from multitrain.networks.transposed import OUTPUTS, ExactConv2DTranspose
from multitrain.networks.upsampling import EnlargedConvolution, SubpixelConvolution

WEIGHT_STDDEV = 0.02


def build_generator(
    layers: Sequence[Layer], seeds: Iterator[int], name: str = "generator"
) -> keras.Model:
    """Latents `(n, z_dim)` to pictures `(n, height, width, channels)` float32 in [-1, 1]."""
    first, *convolutions = layers
    x = latents = keras.Input((first.input.channels,))
    size = (first.output.height, first.output.width, first.filters)
    x = _linear(first, size[0] * size[1] * size[2], seeds)(x)
    x = keras.layers.Reshape(size, name="reshape")(x)
    x = _finished(x, first, seeds)
    for layer in convolutions:
        x = _finished(_enlarging(layer, seeds)(x), layer, seeds)
    return keras.Model(latents, ops.tanh(ops.cast(x, "float32")), name=name)


def build_discriminator(
    layers: Sequence[Layer], spec: JobSpec, seeds: Iterator[int]
) -> keras.Model:
    """Pictures `(n, height, width, channels)` in [-1, 1] to logits and features.

    Logits are `(n, 1)`; features are what the linear layer makes them of, `(n, values)`; both are
    float32. The layers that the job freezes are not trainable.
    """
    *convolutions, last = layers
    first = layers[0].input
    x = pictures = keras.Input((first.height, first.width, first.channels))
    x = _disturbed(x, spec, seeds)
    for layer in convolutions:
        x = _finished(_shrinking(layer, seeds)(x), layer, seeds)
    features = ops.cast(keras.layers.Flatten(name="flatten")(x), "float32")
    logits = _linear(last, 1, seeds, dtype="float32")(features)
    network = keras.Model(pictures, (logits, features), name="discriminator")
    freeze(network, layers[: spec.freeze_d])
    return network


def _linear(layer: Layer, units: int, seeds: Iterator[int], **kw: Any) -> Any:
    return Linear(
        units,
        use_bias=layer.bias,
        kernel_initializer=Normal(WEIGHT_STDDEV, next(seeds)),
        spectral=_spectral(layer, seeds),
        name=layer_name(layer),
        **kw,
    )


def _enlarging(layer: Layer, seeds: Iterator[int]) -> Any:
    """A convolution of the generator."""
    assert layer.kernel is not None, "only linear layers have none"
    kinds: dict[str, Callable[..., Any]] = {
        "deconv": ExactConv2DTranspose,
        "upconv": partial(EnlargedConvolution, bilinear=False),
        "upconv-bilinear": partial(EnlargedConvolution, bilinear=True),
        "subpixel": SubpixelConvolution,
    }
    return kinds[layer.kind](
        layer.filters,
        layer.kernel[::-1],
        layer.output.height,
        layer.output.width,
        stride=layer.stride,
        dilation=layer.dilation,
        use_bias=layer.bias,
        kernel_initializer=Normal(WEIGHT_STDDEV, next(seeds)),
        spectral=_spectral(layer, seeds, OUTPUTS if layer.kind == "deconv" else -1),
        name=layer_name(layer),
    )


def _shrinking(layer: Layer, seeds: Iterator[int]) -> Any:
    """A convolution of the discriminator."""
    assert layer.kernel is not None, "only linear layers have none"
    if layer.kind == "separable":
        kind = partial(SeparableConvolution, stddev=WEIGHT_STDDEV, seeds=(next(seeds), next(seeds)))
    else:
        start = Normal(WEIGHT_STDDEV, next(seeds), truncated=True)
        kind = partial(Convolution, kernel_initializer=start)
    return kind(
        layer.filters,
        layer.kernel[::-1],
        stride=layer.stride,
        dilation=layer.dilation,
        use_bias=layer.bias,
        spectral=_spectral(layer, seeds),
        name=layer_name(layer),
    )


def _spectral(layer: Layer, seeds: Iterator[int], outputs: int = -1) -> SpectralNorm | None:
    """The layer's spectral norm, or None; `outputs` is the axis of its kernel for output values."""
    return SpectralNorm(next(seeds), outputs) if layer.normalization == "spectral" else None


def _finished(x: Any, layer: Layer, seeds: Iterator[int]) -> Any:
    """`x` after the layer's normalization, activation, dropout and noise."""
    index = layer.number - 1
    if (normalizes := normalization(layer.normalization, f"norm_{index}")) is not None:
        x = normalizes(x)
    if layer.activation:
        x = activation(layer.activation)(x)
    if layer.dropout:
        x = Dropout(layer.dropout, next(seeds), name=f"dropout_{index}")(x)
    if layer.noise:
        x = Noise(layer.noise, next(seeds), name=f"noise_{index}")(x)
    return x


def _disturbed(pictures: Any, spec: JobSpec, seeds: Iterator[int]) -> Any:
    """What the discriminator's first layer sees in training."""
    if kinds := spec.augmentations:
        has_alpha = spec.colour_model == "rgba"
        pictures = DiffAugment(kinds, has_alpha, next(seeds), name="diffaugment")(pictures)
    if spec.instance_noise:
        noise = Noise(spec.instance_noise, next(seeds), dtype="float32", name="instance_noise")
        pictures = noise(pictures)
    return pictures

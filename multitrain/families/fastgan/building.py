"""FastGAN's networks from their plans (`jobs.families.fastgan.layers`), with fresh weights.

Layers are numbered from 0 in their names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
from keras import ops

from jobs.families.fastgan import layers as plans
from jobs.families.layer import Layer
from jobs.settings.spec import JobSpec
from multitrain.families.adversaries import freeze, layer_name
from multitrain.networks.activations import activation
from multitrain.networks.augmentation import DiffAugment
from multitrain.networks.convolutions import Convolution
from multitrain.networks.excitation import squeezed
from multitrain.networks.initializers import Normal
from multitrain.networks.normalization import normalization
from multitrain.networks.regularization import InjectedNoise, Noise
from multitrain.networks.spectral import Linear, SpectralNorm
from multitrain.networks.upsampling import FusedConvolution

WEIGHT_STDDEV = 0.02
HALVES = 0.5**0.5  # two halves of a block, added, keep the deviation of one


class Seen(NamedTuple):
    """What a discriminator makes of pictures.

    - logits: of all places at both scales, `(n, places)` float32.
    - features: means of what the last layer sees, `(n, channels)` float32.
    - pictures: what it was shown, augmented: `(n, height, width, channels)` float32.
    - middle, deep: maps, from which parts of the pictures, and the whole, can be decoded.
    """

    logits: Any
    features: Any
    pictures: Any
    middle: Any
    deep: Any


def build_generator(plan: plans.Generator, seeds: Iterator[int]) -> keras.Model:
    """Latents `(n, z_dim)` to pictures `(n, height, width, channels)` float32 in [-1, 1]."""
    start = plan.start
    x = latents = keras.Input((start.input.channels,))
    size = (start.output.height, start.output.width, start.filters)
    x = Linear(
        size[0] * size[1] * size[2],
        use_bias=start.bias,
        kernel_initializer=Normal(WEIGHT_STDDEV, next(seeds)),
        spectral=_spectral(start, seeds),
        name=layer_name(start),
    )(x)
    x = keras.layers.Reshape(size, name="reshape")(x)
    maps = [_finished(x, start, seeds)]
    for level, stage in enumerate(plan.stages, 1):
        x = _applied(stage, maps[-1], seeds)
        if excitation := plan.excitations.get(level):
            few = squeezed(maps[excitation.source], plans.SQUEEZED)
            gates = _applied(excitation.gate, _applied(excitation.squeeze, few, seeds), seeds)
            x = x * gates
        maps.append(x)
    colours = _applied(plan.last, maps[-1], seeds)
    return keras.Model(latents, ops.tanh(ops.cast(colours, "float32")), name="generator")


def build_discriminator(
    plan: plans.Discriminator, spec: JobSpec, seeds: Iterator[int]
) -> keras.Model:
    """Pictures `(n, height, width, channels)` in [-1, 1] to what is `Seen` of them.

    The layers that the job freezes are not trainable.
    """
    shape = plan.first.input
    x = pictures = keras.Input((shape.height, shape.width, shape.channels))
    if kinds := spec.augmentations:
        has_alpha = spec.colour_model == "rgba"
        x = DiffAugment(kinds, has_alpha, next(seeds), name="diffaugment")(x)
    shown = x
    if spec.instance_noise:
        noise = Noise(spec.instance_noise, next(seeds), dtype="float32", name="instance_noise")
        x = noise(x)
    reduced = halved(x, plan.small)

    middle = x = _applied(plan.first, x, seeds)
    for block in plan.blocks:
        middle = x
        main = _applied(block.mix, _applied(block.shrink, x, seeds), seeds)
        x = (main + _applied(block.skip, x, seeds)) * HALVES
    deep = x
    narrowed = _applied(plan.head[0], x, seeds)
    logits = [_applied(plan.head[1], narrowed, seeds)]
    for layer in plan.trunk:
        reduced = _applied(layer, reduced, seeds)
    logits.append(_applied(plan.small_head, reduced, seeds))

    flat = [keras.layers.Flatten(name=f"logits_{n}")(each) for n, each in enumerate(logits)]
    features = ops.mean(ops.cast(narrowed, "float32"), axis=(1, 2))
    seen = Seen(
        ops.concatenate([ops.cast(each, "float32") for each in flat], axis=-1),
        features,
        shown,
        middle,
        deep,
    )
    network = keras.Model(pictures, tuple(seen), name="discriminator")
    freeze(network, plan.layers[: spec.freeze_d])
    return network


def build_decoder(plan: plans.Decoders, seeds: Iterator[int]) -> keras.Model:
    """A deep map, and a window of a middle one, to a whole picture and a part; float32."""
    inputs, pictures = [], []
    for decoder in (plan.whole, plan.part):
        shape = decoder.layers[0].input
        x = maps = keras.Input((shape.height, shape.width, shape.channels))
        for layer in decoder.layers:
            x = _applied(layer, x, seeds)
        inputs.append(maps)
        pictures.append(ops.tanh(ops.cast(x, "float32")))
    return keras.Model(inputs, pictures, name="decoder")


def halved(pictures: Any, times: int) -> Any:
    """Pictures of half the size, rounded up, so often: each pixel is the mean of those below it."""
    for _ in range(times):
        pictures = ops.average_pool(pictures, 2, 2, padding="same")
    return pictures


def _applied(layer: Layer, x: Any, seeds: Iterator[int]) -> Any:
    """What a convolution, with all that follows it, makes of `x`."""
    given: dict[str, Any] = {
        "use_bias": layer.bias,
        "kernel_initializer": Normal(WEIGHT_STDDEV, next(seeds)),
        "spectral": _spectral(layer, seeds),
        "name": layer_name(layer),
    }
    assert layer.kernel is not None, "only linear layers have none"
    if layer.kind == "fused-upconv":
        size = layer.output.height, layer.output.width
        return _finished(FusedConvolution(layer.filters, *size, **given)(x), layer, seeds)
    stride = layer.stride
    if layer.kind == "pooled-conv":
        x, stride = halved(x, 1), 1
    x = Convolution(layer.filters, layer.kernel, stride=stride, **given)(x)
    return _finished(x, layer, seeds)


def _finished(x: Any, layer: Layer, seeds: Iterator[int]) -> Any:
    """`x` after the layer's normalization, injected noise and activation."""
    index = layer.number - 1
    if (normalizes := normalization(layer.normalization, f"norm_{index}")) is not None:
        x = normalizes(x)
    if layer.injects_noise:
        x = InjectedNoise(next(seeds), name=f"injected_{index}")(x)
    return activation(layer.activation)(x) if layer.activation else x


def _spectral(layer: Layer, seeds: Iterator[int]) -> SpectralNorm | None:
    return SpectralNorm(next(seeds)) if layer.normalization == "spectral" else None

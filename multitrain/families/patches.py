"""A discriminator of patches from its plan (`jobs.families.patches`), with fresh weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import keras
from keras import ops

from jobs.families.layer import Layer
from jobs.families.patches import LEAKY
from jobs.settings.colours import CHANNELS
from jobs.settings.spec import JobSpec
from multitrain.families.adversaries import freeze
from multitrain.families.parts import given, normalized
from multitrain.networks.activations import activation
from multitrain.networks.augmentation import DiffAugment
from multitrain.networks.convolutions import PaddedConvolution
from multitrain.networks.regularization import Noise


def build_discriminator(
    layers: Sequence[Layer], spec: JobSpec, seeds: Iterator[int], name: str = "discriminator"
) -> keras.Model:
    """Pictures `(n, height, width, channels)` in [-1, 1] to logits, features and maps.

    What else it is shown of them are the first channels. Logits are `(n, places)`, features the
    means over all places of what the last layer sees, `(n, channels)`, maps what the layers before
    it make; all are float32. The layers that the job freezes are not trainable.
    """
    first, last = layers[0].input, layers[-1]
    x = pictures = keras.Input((first.height, first.width, first.channels))
    x, maps = _disturbed(x, spec, seeds), []
    for layer in layers[:-1]:
        x = normalized(_judging(layer, seeds)(x), layer, seeds)
        x = activation(layer.activation or LEAKY)(x)
        maps.append(ops.cast(x, "float32"))
    features = ops.mean(ops.cast(x, "float32"), axis=(1, 2))
    logits = keras.layers.Flatten(name="logits")(_judging(last, seeds)(x))
    network = keras.Model(pictures, (ops.cast(logits, "float32"), features, maps), name=name)
    freeze(network, layers[: spec.freeze_d])
    return network


def _disturbed(x: Any, spec: JobSpec, seeds: Iterator[int]) -> Any:
    """What the discriminator's first layer sees in training.

    Inputs and pictures stay where they are to each other; colours are changed of pictures alone.
    """
    kinds, colours = spec.augmentations, CHANNELS[spec.colour_model].network
    has_alpha = spec.colour_model == "rgba" and x.shape[-1] >= colours
    if "color" in kinds:
        recolour = DiffAugment(["color"], has_alpha, next(seeds), name="recolour")
        recoloured = recolour(x[..., -colours:])
        is_alone = x.shape[-1] == colours
        x = recoloured if is_alone else ops.concatenate([x[..., :-colours], recoloured], axis=-1)
    if moving := [kind for kind in kinds if kind != "color"]:
        x = DiffAugment(moving, has_alpha, next(seeds), name="diffaugment")(x)
    if spec.instance_noise:
        noise = Noise(spec.instance_noise, next(seeds), dtype="float32", name="instance_noise")
        x = noise(x)
    return x


def _judging(layer: Layer, seeds: Iterator[int]) -> Any:
    assert layer.kernel is not None, "only linear layers have none"
    beyond = (layer.kernel[0] - 1) // 2
    return PaddedConvolution(**given(layer, seeds), stride=layer.stride, beyond=beyond)

"""DCGAN: a generator of transposed convolutions against a discriminator of convolutions.

Radford, Metz, Chintala 2015, https://arxiv.org/abs/1511.06434. Pictures may have any size: sizes
halve rounding up, and the generator arrives at exactly the odd size that the discriminator starts
from. Described with Keras alone; the engine trains it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from jobs.jobfile import JobFile
from jobs.spec import JobSpec
from multitrain.engine import open_adversarial
from multitrain.engine.adversarial import AdamSettings, Adversarial, Player
from multitrain.engine.session import Frames, Session, SessionSettings
from multitrain.networks.activations import repeated
from multitrain.networks.initializers import Normal
from multitrain.networks.normalization import FusedBatchNormalization
from multitrain.networks.transposed import STRIDE, ExactConv2DTranspose, halved

WEIGHT_STDDEV = 0.02
BATCH_NORM_MOMENTUM = 0.9
BATCH_NORM_EPSILON = 1e-5
COLOURS = 3


def open_session(job: JobFile, pictures: Frames, settings: SessionSettings) -> Session:
    """A DCGAN at step 0, trained by the engine."""
    return open_adversarial(lambda: describe(job), job.spec, pictures, settings)


def describe(job: JobFile) -> Adversarial:
    """Both networks with fresh weights from the job's seed, their losses and optimizers."""
    spec = job.spec
    seeds = _seeds(spec.seed)
    return Adversarial(
        generator=Player(
            network=build_generator(spec, job.image_width, job.image_height, seeds),
            adam=AdamSettings(spec.learning_rate_g, spec.beta1_g),
            updates=spec.nbr_g_updates,
        ),
        discriminator=Player(
            network=build_discriminator(spec, job.image_width, job.image_height, seeds),
            adam=AdamSettings(spec.learning_rate_d, spec.beta1_d),
            updates=spec.nbr_d_updates,
        ),
        generator_loss=generator_loss,
        discriminator_loss=discriminator_loss,
        z_dim=spec.z_dim,
    )


def discriminator_loss(real: Any, fake: Any) -> Any:
    """Sigmoid cross-entropy of logits `(n, 1)`: pictures count as 1, fakes as 0."""
    return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))


def generator_loss(fake: Any) -> Any:
    """Sigmoid cross-entropy of logits `(n, 1)` as if the fakes were pictures."""
    return ops.mean(ops.softplus(-fake))


def build_generator(spec: JobSpec, width: int, height: int, seeds: Iterator[int]) -> Any:
    """Latents `(n, z_dim)` to pictures `(n, height, width, 3)` in [-1, 1]."""
    depth = spec.nbr_of_layers_g
    activations = repeated(spec.activation_g, depth - 1)
    rows, columns = halved(height, depth - 1), halved(width, depth - 1)
    channels = spec.gf_dim * 2 ** (depth - 2)

    x = latents = keras.Input((spec.z_dim,))
    x = layers.Dense(
        rows * columns * channels,
        use_bias=not spec.batch_norm_g,
        kernel_initializer=Normal(WEIGHT_STDDEV, next(seeds)),
        name="linear",
    )(x)
    x = layers.Reshape((rows, columns, channels), name="reshape")(x)
    x = activations[0](_normalized(x, spec.batch_norm_g, "norm_0"))
    for layer in range(1, depth - 1):
        channels //= 2
        x = _transposed(spec, channels, layer, width, height, spec.batch_norm_g, seeds)(x)
        x = activations[layer](_normalized(x, spec.batch_norm_g, f"norm_{layer}"))
    x = _transposed(spec, COLOURS, depth - 1, width, height, False, seeds)(x)
    return keras.Model(latents, ops.tanh(ops.cast(x, "float32")), name="generator")


def build_discriminator(spec: JobSpec, width: int, height: int, seeds: Iterator[int]) -> Any:
    """Pictures `(n, height, width, 3)` in [-1, 1] to logits `(n, 1)`."""
    depth = spec.nbr_of_layers_d
    activations = repeated(spec.activation_d, depth - 1)
    x = pictures = keras.Input((height, width, COLOURS))
    for layer in range(depth - 1):
        normalizes = spec.batch_norm_d and layer > 0
        x = layers.Conv2D(
            spec.df_dim * 2**layer,
            (spec.k_h, spec.k_w),
            strides=STRIDE,
            padding="same",
            use_bias=not normalizes,
            kernel_initializer=Normal(WEIGHT_STDDEV, next(seeds), truncated=True),
            name=f"conv_{layer}",
        )(x)
        x = activations[layer](_normalized(x, normalizes, f"norm_{layer}"))
    x = layers.Flatten(name="flatten")(x)
    logits = layers.Dense(
        1, kernel_initializer=Normal(WEIGHT_STDDEV, next(seeds)), dtype="float32", name="linear"
    )(x)
    return keras.Model(pictures, logits, name="discriminator")


def _transposed(
    spec: JobSpec,
    channels: int,
    layer: int,
    width: int,
    height: int,
    normalizes: bool,
    seeds: Iterator[int],
) -> Any:
    halvings = spec.nbr_of_layers_g - 1 - layer
    return ExactConv2DTranspose(
        channels,
        (spec.k_h, spec.k_w),
        halved(height, halvings),
        halved(width, halvings),
        use_bias=not normalizes,  # a bias would be normalised away
        kernel_initializer=Normal(WEIGHT_STDDEV, next(seeds)),
        name=f"transposed_{layer}",
    )


def _normalized(x: Any, wanted: bool, name: str) -> Any:
    if not wanted:
        return x
    return FusedBatchNormalization(
        momentum=BATCH_NORM_MOMENTUM, epsilon=BATCH_NORM_EPSILON, name=name
    )(x)


def _seeds(seed: int) -> Iterator[int]:
    """Independent seeds, one for each layer: layers of one shape must not start alike."""
    draws = np.random.default_rng(seed)
    while True:
        yield int(draws.integers(2**31))

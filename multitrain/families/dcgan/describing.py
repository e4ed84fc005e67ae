"""DCGAN: a generator of transposed convolutions against a discriminator of convolutions.

Radford, Metz, Chintala 2015, https://arxiv.org/abs/1511.06434, and all that a sheet can vary in it.
Pictures may have any size: sizes halve rounding up, and the generator arrives at exactly the odd
size that the discriminator starts from. Described with Keras alone; the engine trains it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from jobs.families.dcgan.layers import Network, column, discriminator_layers, generator_layers
from jobs.workspace.jobfile import JobFile
from multitrain.engine import open_adversarial
from multitrain.engine.adversarial import Adversarial, Latents, Learning, Player, Sampling
from multitrain.engine.session import Frames, Session, SessionSettings
from multitrain.families.dcgan.building import build_discriminator, build_generator
from multitrain.networks.colours import to_network, to_picture
from multitrain.networks.losses import GanLosses


def open_session(
    job: JobFile, pictures: Frames, settings: SessionSettings, counts: tuple[int, ...] = ()
) -> Session:
    """A DCGAN at step 0, trained by the engine."""
    return open_adversarial(lambda: describe(job), job.spec, pictures, settings, counts)


def describe(job: JobFile) -> Adversarial:
    """Both networks with fresh weights from the job's seed, their losses and optimizers."""
    spec = job.spec
    size = job.image_width, job.image_height
    seeds = _seeds(spec.seed)
    generator = build_generator(generator_layers(spec, *size), seeds)
    discriminator = build_discriminator(discriminator_layers(spec, *size), spec, seeds)
    return Adversarial(
        generator=Player(generator, _learning(job, "g", spec.nbr_g_updates)),
        discriminator=Player(discriminator, _learning(job, "d", spec.nbr_d_updates)),
        losses=GanLosses(spec.loss, spec.label_smoothing, spec.feature_matching),
        latents=Latents.of(spec),
        to_network=partial(to_network, spec.colour_model),
        to_picture=partial(to_picture, spec.colour_model),
        average_decay=spec.ema,
    )


def describe_sampler(job: JobFile) -> Sampling:
    """What draws the job's samples, with fresh weights from the job's seed."""
    layers = generator_layers(job.spec, job.image_width, job.image_height)
    network = build_generator(layers, _seeds(job.spec.seed))
    return Sampling(network, partial(to_picture, job.spec.colour_model))


def _learning(job: JobFile, network: Network, updates: int) -> Learning:
    def of(name: str) -> Any:
        return column(job.spec, name, network)

    return Learning(
        optimizer=of("optimizer"),
        rate=of("learning_rate"),
        schedule=of("schedule"),
        beta1=of("beta1"),
        clipping=of("gradient_clip"),
        updates=updates,
        steps=job.schedule_steps,
    )


def _seeds(seed: int) -> Iterator[int]:
    """Independent seeds, one for each layer: layers of one shape must not start alike."""
    draws = np.random.default_rng(seed)
    while True:
        yield int(draws.integers(2**31))

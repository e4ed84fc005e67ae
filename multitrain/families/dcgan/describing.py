"""DCGAN: a generator of transposed convolutions against a discriminator of convolutions.

Radford, Metz, Chintala 2015, https://arxiv.org/abs/1511.06434, and all that a sheet can vary in it.
Pictures may have any size: sizes halve rounding up, and the generator arrives at exactly the odd
size that the discriminator starts from. Described with Keras alone; the engine trains it.
"""

from __future__ import annotations

from functools import partial

from jobs.families.dcgan.layers import discriminator_layers, generator_layers
from jobs.workspace.jobfile import JobFile
from multitrain.engine import open_training
from multitrain.engine.feeds import Feeds
from multitrain.engine.model import Model, Sampling
from multitrain.engine.session import Session, SessionSettings
from multitrain.families import adversaries
from multitrain.families.dcgan.building import build_discriminator, build_generator
from multitrain.networks.colours import to_picture


def open_session(job: JobFile, feeds: Feeds, settings: SessionSettings) -> Session:
    """A DCGAN at step 0, trained by the engine."""
    return open_training(lambda: describe(job), job.spec, feeds, settings)


def describe(job: JobFile) -> Model:
    """Both networks with fresh weights from the job's seed, and how they learn."""
    size = job.image_width, job.image_height
    seeds = adversaries.seeds(job.spec.seed)
    generator = build_generator(generator_layers(job.spec, *size), seeds)
    discriminator = build_discriminator(discriminator_layers(job.spec, *size), job.spec, seeds)
    networks = {"generator": generator, "discriminator": discriminator}
    return adversaries.model(job, networks, adversaries.Pair(job.spec))


def describe_sampler(job: JobFile) -> Sampling:
    """What draws the job's samples, with fresh weights from the job's seed."""
    layers = generator_layers(job.spec, job.image_width, job.image_height)
    network = build_generator(layers, adversaries.seeds(job.spec.seed))
    return Sampling(network, partial(to_picture, job.spec.colour_model))

"""DCGAN: a generator of transposed convolutions against a discriminator of convolutions.

Radford, Metz, Chintala 2015, https://arxiv.org/abs/1511.06434, and all that a sheet can vary in it.
Pictures may have any size: sizes halve rounding up, and the generator arrives at exactly the odd
size that the discriminator starts from. Described with Keras alone; the engine trains it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from jobs.families.dcgan.layers import discriminator_layers, generator_layers
from jobs.families.feed import PICTURES
from jobs.settings.colours import ColourModel
from jobs.workspace.jobfile import JobFile
from multitrain.engine import open_training
from multitrain.engine.feeds import Feeds
from multitrain.engine.model import (
    Average,
    Batch,
    Chance,
    Model,
    Named,
    Nets,
    Outcome,
    Pass,
    Phase,
    Sampling,
    Shown,
    Turn,
)
from multitrain.engine.motion import Latents, at_frames
from multitrain.engine.session import Session, SessionSettings
from multitrain.families import adversaries
from multitrain.families.dcgan.building import build_discriminator, build_generator
from multitrain.networks.colours import to_network, to_picture
from multitrain.networks.judgement import Judgement
from multitrain.networks.losses import GanLosses


def open_session(job: JobFile, feeds: Feeds, settings: SessionSettings) -> Session:
    """A DCGAN at step 0, trained by the engine."""
    return open_training(lambda: describe(job), job.spec, feeds, settings)


def describe(job: JobFile) -> Model:
    """Both networks with fresh weights from the job's seed, and how they learn."""
    spec = job.spec
    size = job.image_width, job.image_height
    cell = (job.image_height, job.image_width, job.plan.channels)
    seeds = adversaries.seeds(spec.seed)
    generator = build_generator(generator_layers(spec, *size), seeds)
    discriminator = build_discriminator(discriminator_layers(spec, *size), spec, seeds)
    latents = Latents.of(spec)
    losses = GanLosses(spec.loss, spec.label_smoothing, spec.feature_matching)
    pair = Pair(losses, latents, spec.colour_model, spec.fps)
    mixing = {"mixing": Chance()} if losses.has_gradient_penalty else {}
    d, g = adversaries.learning(job, "d"), adversaries.learning(job, "g")
    program = adversaries.program(d.updates, g.updates, spec.frames_per_step, mixing)
    return Model(
        networks={"generator": generator, "discriminator": discriminator},
        passes={"fakes": Pass(("generator",), ("latents",), pair.fakes)},
        turns={
            "d": Turn(("discriminator",), d, pair.discriminator_loss, ("fakes",)),
            "g": Turn(("generator",), g, pair.generator_loss, ("fakes",)),
        },
        phases=(Phase(0, program),),
        chance={"latents": latents.chance, **mixing},
        averages={"average": Average("generator", spec.ema)} if spec.ema else {},
        shown=Shown(cell, {"latents": latents.chance}, pair.latents_at, pair.cells),
    )


def describe_sampler(job: JobFile) -> Sampling:
    """What draws the job's samples, with fresh weights from the job's seed."""
    layers = generator_layers(job.spec, job.image_width, job.image_height)
    network = build_generator(layers, adversaries.seeds(job.spec.seed))
    return Sampling(network, partial(to_picture, job.spec.colour_model))


@dataclass(frozen=True)
class Pair:
    """What a generator and a discriminator do with each other in training.

    The generator maps latents to values `(n, height, width, channels)` in [-1, 1], the
    discriminator such values to a `Judgement`.
    """

    losses: GanLosses
    latents: Latents
    colour_model: ColourModel
    fps: int

    def fakes(self, nets: Nets, feeds: Named, chance: Named) -> Any:  # noqa: ARG002
        return nets("generator", chance["latents"])

    def discriminator_loss(self, nets: Nets, batch: Batch) -> Outcome:
        reals = to_network(self.colour_model, batch.feeds[PICTURES])
        fakes = batch.passes["fakes"]
        loss = self.losses.discriminator(_judged(nets, reals), _judged(nets, fakes))
        if self.losses.has_gradient_penalty:
            share = batch.chance["mixing"][:, None, None, None]
            mixed = reals + share * (fakes - reals)
            of_mixed = nets.gradient(lambda at: _judged(nets, at).logits, mixed)
            loss += self.losses.gradient_penalty(of_mixed)
        return Outcome(loss)

    def generator_loss(self, nets: Nets, batch: Batch) -> Outcome:
        real = None
        if self.losses.generator_sees_pictures:
            real = _judged(nets, to_network(self.colour_model, batch.feeds[PICTURES]))
        return Outcome(self.losses.generator(real, _judged(nets, batch.passes["fakes"])))

    def latents_at(self, samples: Named, first: Any, frames: int) -> Named:
        return {"latents": at_frames(samples["latents"], self.latents, first, frames, self.fps)}

    def cells(self, nets: Nets, samples: Named) -> Any:
        drawn = nets("generator", samples["latents"], training=False)
        return to_picture(self.colour_model, drawn)


def _judged(nets: Nets, pictures: Any) -> Judgement:
    return Judgement(*nets("discriminator", pictures))

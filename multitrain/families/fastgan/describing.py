"""FastGAN: a light generator for few pictures, against a discriminator that must reconstruct them.

Liu et al. 2021, "Towards faster and stabilized GAN training for high-fidelity few-shot image
synthesis", https://arxiv.org/abs/2101.04775. Pictures may have any proportions: sizes halve
rounding up, as those of DCGANs do. What differs from the paper stands in docs/fastgan.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from keras import ops

from jobs.families.fastgan import layers as plans
from jobs.families.feed import PICTURES
from jobs.settings.colours import RGB, ColourModel
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
from multitrain.families.fastgan.building import (
    Seen,
    build_decoder,
    build_discriminator,
    build_generator,
)
from multitrain.families.fastgan.reconstruction import Reconstruction, apart
from multitrain.networks.colours import to_network, to_picture
from multitrain.networks.judgement import Judgement
from multitrain.networks.losses import GanLosses
from multitrain.networks.perception import Perception, read_vgg16


def open_session(job: JobFile, feeds: Feeds, settings: SessionSettings) -> Session:
    """A FastGAN at step 0, trained by the engine."""
    return open_training(lambda: describe(job), job.spec, feeds, settings)


def describe(job: JobFile) -> Model:
    """All networks with fresh weights from the job's seed, and how they learn."""
    spec = job.spec
    size = job.image_width, job.image_height
    cell = (job.image_height, job.image_width, job.plan.channels)
    seeds = adversaries.seeds(spec.seed)
    decoders = plans.decoders(spec, *size)
    generator = build_generator(plans.generator(spec, *size), seeds)
    discriminator = build_discriminator(plans.discriminator(spec, *size), spec, seeds)
    decoder = build_decoder(decoders, seeds)
    latents = Latents.of(spec)
    losses = GanLosses(spec.loss, spec.label_smoothing, spec.feature_matching)
    top = len(plans.levels(*size)) - 1
    reconstruction = Reconstruction.of(decoders, top, plans.MIDDLE, plans.DEEP)
    seen_by = Perception(read_vgg16(Path(spec.perceptual))) if spec.perceptual else None
    pair = Pair(losses, reconstruction, seen_by, latents, spec.colour_model, spec.fps)
    of_d = {"places": Chance((2,))}
    if losses.has_gradient_penalty:
        of_d["mixing"] = Chance()
    d, g = adversaries.learning(job, "d"), adversaries.learning(job, "g")
    program = adversaries.program(d.updates, g.updates, spec.frames_per_step, of_d)
    return Model(
        networks={"generator": generator, "discriminator": discriminator, "decoder": decoder},
        passes={"fakes": Pass(("generator",), ("latents",), pair.fakes)},
        turns={
            "d": Turn(("discriminator", "decoder"), d, pair.discriminator_loss, ("fakes",)),
            "g": Turn(("generator",), g, pair.generator_loss, ("fakes",)),
        },
        phases=(Phase(0, program),),
        chance={"latents": latents.chance, **of_d},
        averages={"average": Average("generator", spec.ema)} if spec.ema else {},
        shown=Shown(cell, {"latents": latents.chance}, pair.latents_at, pair.cells),
    )


def describe_sampler(job: JobFile) -> Sampling:
    """What draws the job's samples, with fresh weights from the job's seed."""
    plan = plans.generator(job.spec, job.image_width, job.image_height)
    network = build_generator(plan, adversaries.seeds(job.spec.seed))
    return Sampling(network, partial(to_picture, job.spec.colour_model))


@dataclass(frozen=True)
class Pair:
    """What a generator and a discriminator do with each other in training."""

    losses: GanLosses
    reconstruction: Reconstruction
    perception: Perception | None
    latents: Latents
    colour_model: ColourModel
    fps: int

    def fakes(self, nets: Nets, feeds: Named, chance: Named) -> Any:  # noqa: ARG002
        return nets("generator", chance["latents"])

    def discriminator_loss(self, nets: Nets, batch: Batch) -> Outcome:
        reals = to_network(self.colour_model, batch.feeds[PICTURES])
        fakes = batch.passes["fakes"]
        real = _seen(nets, reals)
        loss = self.losses.discriminator(_judgement(real), _judgement(_seen(nets, fakes)))
        if self.losses.has_gradient_penalty:
            share = batch.chance["mixing"][:, None, None, None]
            mixed = reals + share * (fakes - reals)
            of_mixed = nets.gradient(lambda at: ops.mean(_seen(nets, at).logits, axis=1), mixed)
            loss += self.losses.gradient_penalty(of_mixed)
        places = batch.chance["places"]
        made = nets("decoder", self.reconstruction.given(real, places))
        wanted = self.reconstruction.wanted(real, places)
        return Outcome(loss + sum(map(self._apart, made, wanted)))

    def _apart(self, made: Any, wanted: Any) -> Any:
        distance = apart(made, wanted)
        if self.perception:
            distance += self.perception.apart(_as_rgb(made), _as_rgb(wanted))
        return distance

    def generator_loss(self, nets: Nets, batch: Batch) -> Outcome:
        real = None
        if self.losses.generator_sees_pictures:
            pictures = to_network(self.colour_model, batch.feeds[PICTURES])
            real = _judgement(_seen(nets, pictures))
        return Outcome(self.losses.generator(real, _judgement(_seen(nets, batch.passes["fakes"]))))

    def latents_at(self, samples: Named, first: Any, frames: int) -> Named:
        return {"latents": at_frames(samples["latents"], self.latents, first, frames, self.fps)}

    def cells(self, nets: Nets, samples: Named) -> Any:
        drawn = nets("generator", samples["latents"], training=False)
        return to_picture(self.colour_model, drawn)


def _as_rgb(values: Any) -> Any:
    """The colours of rgb, rgba or grey."""
    return values[..., :RGB] if values.shape[-1] >= RGB else ops.repeat(values, RGB, axis=-1)


def _seen(nets: Nets, pictures: Any) -> Seen:
    return Seen(*nets("discriminator", pictures))


def _judgement(seen: Seen) -> Judgement:
    return Judgement(seen.logits, seen.features)

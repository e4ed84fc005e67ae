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

from jobs.families.fastgan import layers as plans
from jobs.workspace.jobfile import JobFile
from multitrain.engine import open_training
from multitrain.engine.feeds import Feeds
from multitrain.engine.model import Batch, Chance, Model, Nets, Outcome, Sampling
from multitrain.engine.session import Session, SessionSettings
from multitrain.families import adversaries
from multitrain.families.fastgan.building import (
    Seen,
    build_decoder,
    build_discriminator,
    build_generator,
)
from multitrain.families.fastgan.reconstruction import Reconstruction, apart
from multitrain.networks.colours import to_picture
from multitrain.networks.judgement import Judgement
from multitrain.networks.perception import Perception, as_rgb, read_vgg16


def open_session(job: JobFile, feeds: Feeds, settings: SessionSettings) -> Session:
    """A FastGAN at step 0, trained by the engine."""
    return open_training(lambda: describe(job), job.spec, feeds, settings)


def describe(job: JobFile) -> Model:
    """All networks with fresh weights from the job's seed, and how they learn."""
    spec = job.spec
    size = job.image_width, job.image_height
    seeds = adversaries.seeds(spec.seed)
    decoders = plans.decoders(spec, *size)
    networks = {
        "generator": build_generator(plans.generator(spec, *size), seeds),
        "discriminator": build_discriminator(plans.discriminator(spec, *size), spec, seeds),
        "decoder": build_decoder(decoders, seeds),
    }
    top = len(plans.levels(*size)) - 1
    reconstruction = Reconstruction.of(decoders, top, plans.MIDDLE, plans.DEEP)
    seen_by = Perception(read_vgg16(Path(spec.perceptual))) if spec.perceptual else None
    pair = Reconstructing(spec, reconstruction, seen_by)
    return adversaries.model(job, networks, pair, {"places": Chance((2,))})


def describe_sampler(job: JobFile) -> Sampling:
    """What draws the job's samples, with fresh weights from the job's seed."""
    plan = plans.generator(job.spec, job.image_width, job.image_height)
    network = build_generator(plan, adversaries.seeds(job.spec.seed))
    return Sampling(network, partial(to_picture, job.spec.colour_model))


@dataclass(frozen=True)
class Reconstructing(adversaries.Pair):
    """A pair whose discriminator learns to reconstruct pictures, too."""

    reconstruction: Reconstruction
    perception: Perception | None

    def judged(self, nets: Nets, pictures: Any, batch: Batch) -> Judgement:  # noqa: ARG002
        return _judgement(_seen(nets, pictures))

    def discriminator_loss(self, nets: Nets, batch: Batch) -> Outcome:
        reals, places = self.reals(batch), batch.chance["places"]
        real = _seen(nets, reals)
        loss = self.judging(nets, batch, reals, _judgement(real))
        made = nets("decoder", self.reconstruction.given(real, places))
        wanted = self.reconstruction.wanted(real, places)
        return Outcome(loss + sum(map(self._apart, made, wanted)))

    def _apart(self, made: Any, wanted: Any) -> Any:
        distance = apart(made, wanted)
        if self.perception:
            distance += self.perception.apart(as_rgb(made), as_rgb(wanted))
        return distance


def _seen(nets: Nets, pictures: Any) -> Seen:
    return Seen(*nets("discriminator", pictures))


def _judgement(seen: Seen) -> Judgement:
    return Judgement(seen.logits, seen.features)

"""pix2pix: a U-Net learns to make pictures into pictures, against a discriminator of patches.

Isola et al. 2017, "Image-to-image translation with conditional adversarial networks",
https://arxiv.org/abs/1611.07004. What differs from the paper stands in docs/translation.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras import ops

from jobs.families.pix2pix import layers
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from multitrain.engine import open_training
from multitrain.engine.feeds import Feeds
from multitrain.engine.model import Applying, Batch, Model, Named, Nets, Outcome, Shown
from multitrain.engine.session import Session, SessionSettings
from multitrain.families import adversaries
from multitrain.families.patches import build_discriminator
from multitrain.families.pix2pix.building import build_generator
from multitrain.families.translating import Translated, Translation
from multitrain.networks.distances import DISTANCES
from multitrain.networks.judgement import Judgement


def open_session(job: JobFile, feeds: Feeds, settings: SessionSettings) -> Session:
    """A pix2pix at step 0, trained by the engine."""
    return open_training(lambda: describe(job), job.spec, feeds, settings)


def describe(job: JobFile) -> Model:
    """Both networks with fresh weights from the job's seed, and how they learn."""
    spec = job.spec
    size = job.image_width, job.image_height
    seeds = adversaries.seeds(spec.seed)
    networks = {
        "generator": build_generator(layers.generator(spec, *size), *size, seeds),
        "discriminator": build_discriminator(layers.discriminator(spec, *size), spec, seeds),
    }
    return adversaries.model(job, networks, Translating(spec))


def describe_application(spec: JobSpec, size: Resolution, name: str, *, raw: bool) -> Applying:
    """What makes pictures of this size of others, planned by settings that are `fixed`."""
    network = build_generator(layers.generator(spec, *size), *size, adversaries.seeds(spec.seed))
    assert name == network.name, "there is one generator"
    return Translated.of(spec).applying(network, raw=raw)


@dataclass(frozen=True)
class Translating(Translation):
    """A pair whose generator is given inputs, and whose discriminator may see them, too."""

    @property
    def seen_by_generator(self) -> tuple[str, ...]:
        return (self.translated.input_feed,)

    def fakes(self, nets: Nets, feeds: Named, chance: Named) -> Any:  # noqa: ARG002
        return nets("generator", self.translated.inputs(feeds))

    def reals(self, batch: Batch) -> Any:
        return self.translated.targets(batch.feeds)

    def judged(self, nets: Nets, pictures: Any, batch: Batch) -> Judgement:
        if self.spec.conditional:
            inputs = self.translated.inputs(batch.feeds)
            pictures = ops.concatenate([inputs, pictures], axis=-1)
        return super().judged(nets, pictures, batch)

    def generator_loss(self, nets: Nets, batch: Batch) -> Outcome:
        made, wanted = batch.passes["fakes"], self.reals(batch)
        parts = []
        for term in self.spec.losses:
            if not term["weight"]:
                continue
            if term.name == "gan":
                loss = self.deceiving(nets, batch)
            else:
                loss = DISTANCES[term.name](made, wanted)
            parts.append(term["weight"] * loss)
        return Outcome(sum(parts))

    def shown(self, job: JobFile) -> Shown:
        return self.translated.shown(job)

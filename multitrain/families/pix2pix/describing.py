"""pix2pix: a U-Net learns to make pictures into pictures, against a discriminator of patches.

Isola et al. 2017, "Image-to-image translation with conditional adversarial networks",
https://arxiv.org/abs/1611.07004. What differs from the paper stands in docs/translation.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keras import ops

from jobs.families.pix2pix import layers
from jobs.families.vgg16 import SEEN_BY_VGG16
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
from multitrain.networks.distances import DISTANCES, of_maps
from multitrain.networks.judgement import Judgement
from multitrain.networks.perception import Perception, as_rgb, read_vgg16


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
    perception = Perception(read_vgg16(Path(spec.perceptual))) if spec.perceptual else None
    return adversaries.model(job, networks, Translating(spec, perception))


def describe_application(spec: JobSpec, size: Resolution, name: str, *, raw: bool) -> Applying:
    """What makes pictures of this size of others, planned by settings that are `fixed`."""
    network = build_generator(layers.generator(spec, *size), *size, adversaries.seeds(spec.seed))
    assert name == network.name, "there is one generator"
    return Translated.of(spec).applying(network, raw=raw)


@dataclass(frozen=True)
class Translating(Translation):
    """A pair whose generator is given inputs, and whose discriminator may see them, too."""

    perception: Perception | None = None

    @property
    def seen_by_generator(self) -> tuple[str, ...]:
        return (self.translated.input_feed,)

    def fakes(self, nets: Nets, feeds: Named, chance: Named) -> Any:  # noqa: ARG002
        return nets("generator", self.translated.inputs(feeds))

    def reals(self, batch: Batch) -> Any:
        return self.translated.targets(batch.feeds)

    def judged(self, nets: Nets, pictures: Any, batch: Batch) -> Judgement:
        return super().judged(nets, self._shown(pictures, batch), batch)

    def _shown(self, pictures: Any, batch: Batch) -> Any:
        """What a discriminator sees: pictures, perhaps behind their inputs."""
        if not self.spec.conditional:
            return pictures
        return ops.concatenate([self.translated.inputs(batch.feeds), pictures], axis=-1)

    @property
    def by_item(self) -> bool:
        return self.spec.conditional

    def generator_loss(self, nets: Nets, batch: Batch) -> Outcome:
        pictures = batch.passes["fakes"], self.reals(batch)

        def loss(name: str) -> Any:
            if name == "gan":
                return self.deceiving(nets, batch)
            if name == "feature":
                return of_maps(*(self._maps(nets, each, batch) for each in pictures))
            if name in SEEN_BY_VGG16:
                assert self.perception, "`perceptual` names its weights"
                return self.perception.distances[name](*map(as_rgb, pictures))
            return DISTANCES[name](*pictures)

        terms = [term for term in self.spec.losses if term["weight"]]
        return Outcome(sum(term["weight"] * loss(term.name) for term in terms))

    def _maps(self, nets: Nets, pictures: Any, batch: Batch) -> Any:
        """What the discriminator's layers make of pictures that it does not disturb: it would not
        disturb both alike.
        """
        return Judgement(*nets("discriminator", self._shown(pictures, batch), training=False)).maps

    def shown(self, job: JobFile) -> Shown:
        return self.translated.shown(job)

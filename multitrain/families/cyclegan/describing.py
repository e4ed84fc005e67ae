"""CycleGAN: two generators, each the way back of the other, learn from pictures without pairs.

Zhu et al. 2017, "Unpaired image-to-image translation using cycle-consistent adversarial networks",
https://arxiv.org/abs/1703.10593. What differs from the paper stands in docs/translation.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from jobs.families.cyclegan import layers
from jobs.families.translation import INPUTS, TARGETS
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from multitrain.engine import open_training
from multitrain.engine.feeds import Feeds
from multitrain.engine.model import (
    Applying,
    Batch,
    Carried,
    Chance,
    Model,
    Named,
    Nets,
    Outcome,
    Shown,
)
from multitrain.engine.session import Session, SessionSettings
from multitrain.families import adversaries
from multitrain.families.cyclegan.building import build_generator
from multitrain.families.cyclegan.pool import CHANCE, Pool
from multitrain.families.patches import build_discriminator
from multitrain.families.translating import Translated, Translation
from multitrain.networks.distances import l1
from multitrain.networks.judgement import Judgement


class Way(NamedTuple):
    """From pictures of one feed to those of another: what makes and what judges these."""

    source: str
    goal: str
    maker: str
    back: str
    judge: str


THERE = Way(INPUTS, TARGETS, "generator", "generator_back", "discriminator")
BACK = Way(TARGETS, INPUTS, "generator_back", "generator", "discriminator_back")
WAYS = (THERE, BACK)


def open_session(job: JobFile, feeds: Feeds, settings: SessionSettings) -> Session:
    """A CycleGAN at step 0, trained by the engine."""
    return open_training(lambda: describe(job), job.spec, feeds, settings)


def describe(job: JobFile) -> Model:
    """All networks with fresh weights from the job's seed, and how they learn."""
    spec, size = job.spec, (job.image_width, job.image_height)
    seeds = adversaries.seeds(spec.seed)
    made, judged = layers.generator(spec, *size), layers.discriminator(spec, *size)
    networks = {way.maker: build_generator(made, *size, seeds, way.maker) for way in WAYS}
    networks |= {way.judge: build_discriminator(judged, spec, seeds, way.judge) for way in WAYS}
    shape = layers.picture_of(spec, *size)
    pool = Pool(spec.pool, spec.images_per_batch, (shape.height, shape.width, shape.channels))
    return adversaries.model(job, networks, Cycling(spec, pool))


def describe_application(spec: JobSpec, size: Resolution, name: str, *, raw: bool) -> Applying:
    """What makes pictures of this size of others, planned by settings that are `fixed`."""
    plan, seeds = layers.generator(spec, *size), adversaries.seeds(spec.seed)
    return Translated.of(spec).applying(build_generator(plan, *size, seeds, name), raw=raw)


@dataclass(frozen=True)
class Cycling(Translation):
    """Two generators against two discriminators, in turns of both."""

    pool: Pool

    @property
    def generators(self) -> Mapping[str, str]:
        return {"generator": "average", "generator_back": "average_back"}

    @property
    def seen_by_generator(self) -> tuple[str, ...]:
        return (INPUTS, TARGETS)

    @property
    def of_discriminators(self) -> Mapping[str, Chance]:
        return {_pooling(way): CHANCE for way in WAYS} if self.pool.size else {}

    @property
    def carried(self) -> Mapping[str, Carried]:
        if not self.pool.size:
            return {}
        return {"pooled": self.pool.count, **{_pool(way): self.pool.pictures for way in WAYS}}

    def fakes(self, nets: Nets, feeds: Named, chance: Named) -> Any:  # noqa: ARG002
        pictures = self._pictures(feeds)
        return {way.goal: nets(way.maker, pictures[way.source]) for way in WAYS}

    def discriminator_loss(self, nets: Nets, batch: Batch) -> Outcome:
        pictures, loss = self._pictures(batch.feeds), 0.0
        kept: dict[str, Any] = {}
        for way in WAYS:
            made = seen = batch.passes["fakes"][way.goal]
            if self.pool.size:
                chance, carried = batch.chance[_pooling(way)], batch.carried
                seen = self.pool.seen(made, carried[_pool(way)], carried["pooled"], chance)
                kept |= {way.goal: made, _pooling(way): chance}
            real, fake = (_judged(nets, way, each) for each in (pictures[way.goal], seen))
            loss += self.losses.discriminator(real, fake)
        return Outcome(loss, kept)

    def carry(self, carried: Named, kept: Named) -> Named:
        """The pools after an update of the discriminators."""
        count = carried["pooled"]
        pools = {
            _pool(way): self.pool.after(
                kept[way.goal], carried[_pool(way)], count, kept[_pooling(way)]
            )
            for way in WAYS
        }
        return {"pooled": self.pool.count_after(count), **pools}

    def generator_loss(self, nets: Nets, batch: Batch) -> Outcome:
        pictures, made = self._pictures(batch.feeds), batch.passes["fakes"]

        def gan(way: Way) -> Any:
            real = None
            if self.losses.generator_sees_pictures:
                real = _judged(nets, way, pictures[way.goal])
            return self.losses.generator(real, _judged(nets, way, made[way.goal]))

        def cycle(way: Way) -> Any:
            return l1(nets(way.back, made[way.goal]), pictures[way.source])

        def identity(way: Way) -> Any:
            return l1(nets(way.maker, pictures[way.goal]), pictures[way.goal])

        terms = {"gan": gan, "cycle": cycle, "identity": identity}
        parts = [
            term["weight"] * terms[term.name](way)
            for term in self.spec.losses
            for way in WAYS
            if term["weight"]
        ]
        return Outcome(sum(parts))

    def shown(self, job: JobFile) -> Shown:
        return self.translated.shown(job, back="generator_back")

    def _pictures(self, feeds: Named) -> Named:
        return {INPUTS: self.translated.inputs(feeds), TARGETS: self.translated.targets(feeds)}


def _pool(way: Way) -> str:
    return f"pool_of_{way.goal}"


def _pooling(way: Way) -> str:
    return f"pooling_of_{way.goal}"


def _judged(nets: Nets, way: Way, pictures: Any) -> Judgement:
    return Judgement(*nets(way.judge, pictures))

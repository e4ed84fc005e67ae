"""White-box cartoonization: a small network learns from heaps of photos and of cartoons.

Wang and Yu 2020, "Learning to cartoonize using white-box cartoon representations", CVPR. Written
from the paper; what differs from it stands in docs/cartoons.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from jobs.families.cartoon import layers
from jobs.families.cartoon.plan import DISCRIMINATORS, GENERATOR, wanted
from jobs.families.translation import INPUTS
from jobs.families.vgg16 import SEEN_BY_VGG16
from jobs.settings.colours import RGB
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from multitrain.engine import open_training
from multitrain.engine.feeds import Feeds
from multitrain.engine.model import (
    Applying,
    Batch,
    Chance,
    Model,
    Named,
    Nets,
    Outcome,
    Phase,
    Show,
    Shown,
    Turn,
    Update,
)
from multitrain.engine.session import Session, SessionSettings
from multitrain.families import adversaries
from multitrain.families.cartoon.building import build_generator
from multitrain.families.patches import build_discriminator
from multitrain.families.translating import Translated, Translation
from multitrain.networks.distances import DISTANCES, l1, of_maps
from multitrain.networks.judgement import Judgement
from multitrain.networks.perception import Perception, as_rgb, read_vgg16
from multitrain.networks.smoothing import flattened, smoothed

# Shares of red, green and blue in grey, and how far chance moves each: the random colour shift of
# section 3.2, with the authors' numbers.
GREY = (0.299, 0.587, 0.114)
SHIFT = 0.1
MIXING = "mixing_to_grey"
COPYING = "copying"  # the turn of the first steps


def open_session(job: JobFile, feeds: Feeds, settings: SessionSettings) -> Session:
    """A cartoonization at step 0, trained by the engine."""
    return open_training(lambda: describe(job), job.spec, feeds, settings)


def describe(job: JobFile) -> Model:
    """All networks with fresh weights from the job's seed, and how they learn."""
    spec, size = job.spec, (job.image_width, job.image_height)
    seeds = adversaries.seeds(spec.seed)
    plan = layers.generator(spec, *size)
    networks = {GENERATOR: build_generator(plan, *size, seeds, spec.output_filter)}
    for what, picture in layers.judged(spec, *size).items():
        judging = layers.discriminator(spec, picture)
        name = DISCRIMINATORS[what]
        networks[name] = build_discriminator(judging, spec, seeds, name)
    perception = Perception(read_vgg16(Path(spec.perceptual))) if spec.perceptual else None
    cartooning = Cartooning(spec, perception)
    return _with_pretraining(job, cartooning, adversaries.model(job, networks, cartooning))


def _with_pretraining(job: JobFile, cartooning: Cartooning, model: Model) -> Model:
    """The model, in whose first steps the generator learns to leave pictures as they are."""
    if not job.spec.pretrain_steps:
        return model
    updates = job.spec.frames_per_step
    learning = replace(adversaries.learning(job, "g"), updates=updates)
    turn = Turn((GENERATOR,), learning, cartooning.copying, ("fakes",))
    feeds, chance = (dict.fromkeys(each, 0) for each in (cartooning.feeds, cartooning.made_of))
    (phase,) = model.phases
    return replace(
        model,
        turns={**model.turns, COPYING: turn},
        phases=(
            Phase(0, [Update(COPYING, feeds, chance), Show()] * updates),
            replace(phase, begins=job.spec.pretrain_steps),
        ),
    )


def describe_application(spec: JobSpec, size: Resolution, name: str, *, raw: bool) -> Applying:
    """What makes pictures of this size of others, planned by settings that are `fixed`."""
    plan, seeds = layers.generator(spec, *size), adversaries.seeds(spec.seed)
    network = build_generator(plan, *size, seeds, spec.output_filter)
    assert name == network.name, "there is one generator"
    return Translated.of(spec).applying(network, raw=raw)


@dataclass(frozen=True)
class Cartooning(Translation):
    """A generator against two discriminators, one of surfaces and one of textures."""

    perception: Perception | None = None

    @property
    def made_of(self) -> Mapping[str, Chance]:
        return {MIXING: Chance((RGB,), low=-SHIFT, high=SHIFT)}

    @property
    def seen_by_generator(self) -> tuple[str, ...]:
        return (INPUTS,)

    def fakes(self, nets: Nets, feeds: Named, chance: Named) -> Any:  # noqa: ARG002
        return nets(GENERATOR, self.translated.inputs(feeds))

    def copying(self, nets: Nets, batch: Batch) -> Outcome:  # noqa: ARG002
        """The loss of the first steps."""
        return Outcome(l1(batch.passes["fakes"], self.translated.inputs(batch.feeds)))

    def discriminator_loss(self, nets: Nets, batch: Batch) -> Outcome:
        targets, fakes = self.translated.targets(batch.feeds), batch.passes["fakes"]
        loss = 0.0
        for what in DISCRIMINATORS:
            real, fake = (self._judged(nets, what, each, batch) for each in (targets, fakes))
            loss += self.losses.discriminator(real, fake)
        return Outcome(loss)

    def generator_loss(self, nets: Nets, batch: Batch) -> Outcome:
        spec, made = self.spec, batch.passes["fakes"]
        inputs, targets = self.translated.inputs(batch.feeds), self.translated.targets(batch.feeds)

        def flat(term: str) -> Any:
            few_areas = ops.stop_gradient(flattened(spec.structure_target, made))
            return self._distance(term, made, few_areas)

        def identity(term: str) -> Any:
            return self._distance(term, nets(GENERATOR, targets), targets)

        losses: Mapping[str, Callable[[str], Any]] = {
            "surface": lambda term: self._deceiving(nets, "surface", term, batch),
            "texture": lambda term: self._deceiving(nets, "texture", term, batch),
            "structure": flat,
            "content": lambda term: self._distance(term, made, inputs),
            "idt": identity,
            "reg": lambda term: self._distance(term, made, targets),
        }
        parts = [
            term.weight * loss(term.name)
            for what, loss in losses.items()
            for term in wanted(spec, what)
        ]
        return Outcome(sum(parts))

    def _deceiving(self, nets: Nets, what: str, term: str, batch: Batch) -> Any:
        """What one of the discriminators thinks, or sees, of the pictures that are made."""
        real = None
        if term == "feature" or self.losses.generator_sees_pictures:
            targets = self.translated.targets(batch.feeds)
            real = self._judged(nets, what, targets, batch, training=term != "feature")
        made = batch.passes["fakes"]
        fake = self._judged(nets, what, made, batch, training=term != "feature")
        if term == "feature":
            assert real is not None, "it was asked for"
            return of_maps(fake.maps, real.maps)
        return self.losses.generator(real, fake)

    def _judged(
        self, nets: Nets, what: str, pictures: Any, batch: Batch, *, training: bool = True
    ) -> Judgement:
        if what == "surface":
            seen = smoothed(self.spec.surface_filter, pictures)
        else:
            seen = mixed_to_grey(pictures, batch.chance[MIXING])
        return Judgement(*nets(DISCRIMINATORS[what], seen, training=training))

    def _distance(self, term: str, made: Any, wanted: Any) -> Any:
        if term in SEEN_BY_VGG16:
            assert self.perception, "`perceptual` names its weights"
            return self.perception.distances[term](as_rgb(made), as_rgb(wanted))
        return DISTANCES[term](made, wanted)

    def shown(self, job: JobFile) -> Shown:
        return self.translated.shown(job)


def mixed_to_grey(pictures: Any, shift: Any) -> Any:
    """Pictures `(n, height, width, channels)` without colours, `(n, height, width, 1)`.

    Shares of red, green and blue are moved by `shift`, `(n, 3)`, and come to 1 in sum.
    """
    shares = np.array(GREY, np.float32) + shift
    shares = shares / ops.sum(shares, axis=-1, keepdims=True)
    return ops.sum(as_rgb(pictures) * shares[:, None, None, :], axis=-1, keepdims=True)

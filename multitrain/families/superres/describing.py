"""Super-resolution: a network learns to make high pictures of low ones, perhaps while it is judged.

Its first steps may be without the discriminator: trained against one from the beginning, networks
come down to junk. What each network is stands in `jobs.families.superres.nets`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from jobs.families.enlarging import DISCRIMINATOR, codec_of, discriminator, high_of
from jobs.families.superres import layers
from jobs.families.superres.plan import GENERATOR
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from multitrain.engine import open_training
from multitrain.engine.feeds import Feeds
from multitrain.engine.model import Applying, Average, Model, Phase, Turn
from multitrain.engine.session import Session, SessionSettings
from multitrain.families import adversaries
from multitrain.families.enlarging import made_low
from multitrain.families.patches import build_discriminator
from multitrain.families.superres.building import build_generator
from multitrain.families.superres.learning import Superresolving
from multitrain.families.superres.remembering import Remembering
from multitrain.networks.colours import to_levels, to_network
from multitrain.networks.perception import Perception, read_vgg16

BEGINNING = "alone"  # the turn of the first steps


def open_session(job: JobFile, feeds: Feeds, settings: SessionSettings) -> Session:
    """A network at step 0, trained by the engine."""
    return open_training(lambda: describe(job), job.spec, feeds, settings)


def describe(job: JobFile) -> Model:
    """The networks with fresh weights from the job's seed, and how they learn."""
    spec, size = job.spec, (job.image_width, job.image_height)
    seeds = adversaries.seeds(spec.seed)
    networks = {GENERATOR: build_generator(layers.generator(spec, *size), seeds)}
    perception = Perception(read_vgg16(Path(spec.perceptual))) if spec.perceptual else None
    enlarging = Superresolving(spec, high_of(spec, *size), perception)
    if not layers.is_judged(spec):
        return _alone(job, networks, enlarging)
    judging = discriminator(spec, *size)
    networks[DISCRIMINATOR] = build_discriminator(judging, spec, seeds)
    model = adversaries.model(job, networks, enlarging)
    return _judged_later(job, enlarging, replace(model, measured=enlarging.measured))


def _alone(job: JobFile, networks: Mapping[str, Any], enlarging: Superresolving) -> Model:
    """A network that nothing judges: each of its updates has a batch of its own."""
    spec = job.spec
    learning = adversaries.learning(job, "g")
    average = {"average": Average(GENERATOR, spec.ema)} if spec.ema else {}
    return Model(
        networks=networks,
        passes={"fakes": enlarging.making},
        turns={"g": Turn((GENERATOR,), learning, enlarging.distance, ("fakes",))},
        phases=(Phase(0, enlarging.program("g", learning.updates)),),
        chance=enlarging.made_of,
        averages=average,
        shown=enlarging.shown(job),
        measured=enlarging.measured,
    )


def _judged_later(job: JobFile, enlarging: Superresolving, model: Model) -> Model:
    """The model, in whose first steps the generator learns without the discriminator."""
    if not job.spec.pretrain_steps:
        return model
    updates = job.spec.frames_per_step  # each frame shows something new
    learning = replace(adversaries.learning(job, "g"), updates=updates)
    turn = Turn((GENERATOR,), learning, enlarging.distance, ("fakes",))
    (phase,) = model.phases
    return replace(
        model,
        turns={**model.turns, BEGINNING: turn},
        phases=(
            Phase(0, enlarging.program(BEGINNING, updates)),
            replace(phase, begins=job.spec.pretrain_steps),
        ),
    )


def describe_application(
    spec: JobSpec,
    size: Resolution,
    name: str,
    *,
    raw: bool,  # noqa: ARG001
) -> Applying:
    """What enlarges pictures of this size, planned by settings that are `fixed`."""
    high = Resolution(size.width * spec.scale, size.height * spec.scale)
    network = build_generator(layers.generator(spec, *high), adversaries.seeds(spec.seed))
    assert name == network.name, "there is one generator"
    model = spec.colour_model
    lowered = None if spec.inputs or codec_of(spec) else partial(made_low, spec)
    values, levels = partial(to_network, model), partial(to_levels, model)
    remembering = Remembering.of(spec) if layers.net_of(spec).remembers else None
    return Applying(network, values, levels, lowered, remembering)

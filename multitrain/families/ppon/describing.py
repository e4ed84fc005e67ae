"""PPON: three networks learn one after the other, and what has learnt stays as it is.

Hui et al. 2019, "Progressive Perception-Oriented Network for Single Image Super-Resolution",
https://arxiv.org/abs/1907.10399. Written from the paper; what differs from it stands in
docs/ppon.md. What each network is stands in `jobs.families.ppon.layers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from jobs.families.enlarging import DISCRIMINATOR, codec_of, discriminator, high_of
from jobs.families.ppon import layers
from jobs.families.ppon.layers import PERCEPTION, STAGES
from jobs.families.ppon.plan import is_judged, updates_of
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
from multitrain.families.ppon.building import build_stages, composed
from multitrain.families.ppon.learning import Progressing, pass_of
from multitrain.networks.colours import to_levels, to_network
from multitrain.networks.perception import Perception, read_vgg16

LAST = "g"  # the turn of the last stage, which learns against "d"


def open_session(job: JobFile, feeds: Feeds, settings: SessionSettings) -> Session:
    """Networks at step 0, trained by the engine."""
    return open_training(lambda: describe(job), job.spec, feeds, settings)


def describe(job: JobFile) -> Model:
    """All networks with fresh weights from the job's seed, and how they learn."""
    spec, size = job.spec, (job.image_width, job.image_height)
    seeds = adversaries.seeds(spec.seed)
    networks = {**build_stages(layers.stages(spec, *size), seeds)}
    perception = Perception(read_vgg16(Path(spec.perceptual))) if spec.perceptual else None
    progressing = Progressing(spec, high_of(spec, *size), perception)
    model = _alone(job, progressing)
    if is_judged(spec):
        networks[DISCRIMINATOR] = build_discriminator(discriminator(spec, *size), spec, seeds)
        model = _judged(job, progressing, model, networks)
    return replace(model, networks=networks, passes=progressing.passes)


def _alone(job: JobFile, progressing: Progressing) -> Model:
    """Networks that nothing judges; each has a schedule of its own."""
    spec, updates = job.spec, updates_of(job.spec)
    learning = replace(adversaries.learning(job, "g"), updates=updates)
    spans = layers.phases(spec, job.schedule_steps)
    names = {**dict(zip(STAGES, STAGES, strict=True)), PERCEPTION: LAST}
    return Model(
        networks={},
        turns={
            names[stage]: Turn(
                (stage,),
                replace(learning, steps=len(span)),
                partial(progressing.loss_of, stage),
                (pass_of(stage),),
            )
            for stage, span in spans.items()
        },
        phases=tuple(
            Phase(span.start, progressing.program(names[stage], updates))
            for stage, span in spans.items()
        ),
        shown=progressing.shown(job),
        chance=progressing.made_of,
        averages={"average": Average(PERCEPTION, spec.ema)} if spec.ema else {},
        measured=progressing.measured,
    )


def _judged(
    job: JobFile, progressing: Progressing, model: Model, networks: Mapping[str, object]
) -> Model:
    """The model, whose last stage learns against the discriminator."""
    pair = {name: networks[name] for name in (PERCEPTION, DISCRIMINATOR)}
    judged = adversaries.model(job, pair, progressing)
    steps = model.turns[LAST].learning.steps
    turns = {
        name: replace(turn, learning=replace(turn.learning, steps=steps))
        for name, turn in judged.turns.items()
    }
    *earlier, last = model.phases
    program = judged.phases[0].program
    return replace(
        model,
        turns={**model.turns, **turns},
        phases=(*earlier, replace(last, program=program)),
        chance=judged.chance,
    )


def describe_application(
    spec: JobSpec,
    size: Resolution,
    name: str,
    *,
    raw: bool,  # noqa: ARG001
) -> Applying:
    """What enlarges pictures of this size, up to the stage of that name."""
    high = Resolution(size.width * spec.scale, size.height * spec.scale)
    networks = build_stages(layers.stages(spec, *high), adversaries.seeds(spec.seed))
    model = spec.colour_model
    lowered = None if spec.inputs or codec_of(spec) else partial(made_low, spec)
    return Applying(
        composed(networks, name), partial(to_network, model), partial(to_levels, model), lowered
    )

"""Frames between frames: a network learns of clips what moves from one frame to the next."""

from __future__ import annotations

from functools import partial

from jobs.families.inbetween.layers import Interpolator
from jobs.families.inbetween.plan import GENERATOR
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from multitrain.engine import open_training
from multitrain.engine.feeds import Feeds
from multitrain.engine.model import Applying, Average, Model, Phase, Turn
from multitrain.engine.session import Session, SessionSettings
from multitrain.families import adversaries
from multitrain.families.inbetween.building import build_interpolator
from multitrain.families.inbetween.learning import Interpolating, given
from multitrain.networks.colours import to_levels, to_network


def open_session(job: JobFile, feeds: Feeds, settings: SessionSettings) -> Session:
    """A network at step 0, trained by the engine."""
    return open_training(lambda: describe(job), job.spec, feeds, settings)


def describe(job: JobFile) -> Model:
    """The network with fresh weights from the job's seed, and how it learns."""
    spec = job.spec
    plan = Interpolator.of(spec, job.image_width, job.image_height)
    interpolating, learning = Interpolating(spec), adversaries.learning(job, "g")
    return Model(
        networks={GENERATOR: build_interpolator(plan, adversaries.seeds(spec.seed))},
        turns={"g": Turn((GENERATOR,), learning, interpolating.distance)},
        phases=(Phase(0, interpolating.program(learning.updates)),),
        chance=interpolating.chance,
        averages={"average": Average(GENERATOR, spec.ema)} if spec.ema else {},
        shown=interpolating.shown(job),
        measured=interpolating.measured,
    )


def describe_application(
    spec: JobSpec,
    size: Resolution,
    name: str,
    *,
    raw: bool,  # noqa: ARG001
) -> Applying:
    """What makes frames between those of this size."""
    network = build_interpolator(Interpolator.of(spec, *size), adversaries.seeds(spec.seed))
    assert name == network.name, "there is one network"
    model = spec.colour_model
    return Applying(network, partial(to_network, model), partial(to_levels, model), between=given)

"""Autoencoders: an encoder makes few numbers of a picture, and a decoder the picture of these.

What both are stands in `jobs.families.autoencoder.layers`, how they code in `coding`.
"""

from __future__ import annotations

from typing import NamedTuple

import keras

from jobs.families.autoencoder.plan import DECODER, ENCODER, frames_of, learning_networks
from jobs.settings.bounds import LARGEST
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from multitrain.engine import open_training
from multitrain.engine.feeds import Feeds
from multitrain.engine.model import Applying, Average, Model, Phase, Show, Turn
from multitrain.engine.session import Session, SessionSettings
from multitrain.families import adversaries
from multitrain.families.autoencoder.building import build_decoder, build_encoder
from multitrain.families.autoencoder.coding import Coder
from multitrain.families.autoencoder.learning import Autoencoding
from multitrain.families.autoencoder.remembering import FrameByFrame


class Networks(NamedTuple):
    """Both, with fresh weights, and how they are used."""

    coder: Coder
    encoder: keras.Model
    decoder: keras.Model


def open_session(job: JobFile, feeds: Feeds, settings: SessionSettings) -> Session:
    """An autoencoder at step 0, trained by the engine."""
    spec = job.spec
    if spec.stream:  # its frames are made by whoever sends
        spec = spec.model_copy(update={"first_frame_after": LARGEST})
    return open_training(lambda: describe(job), spec, feeds, settings)


def build(spec: JobSpec, size: Resolution, frames: int = 1) -> Networks:
    """The networks of a job for pictures of this size, with fresh weights from its seed.

    A decoder that remembers is given so many frames of a video at once.
    """
    coder, seeds = Coder.of(spec, size), adversaries.seeds(spec.seed)
    encoder = build_encoder(coder.plan, seeds)
    return Networks(coder, encoder, build_decoder(coder.plan, seeds, frames))


def describe(job: JobFile) -> Model:
    """Both networks, and how they learn: at once, by one loss."""
    spec, size = job.spec, Resolution(job.image_width, job.image_height)
    _, encoder, decoder = build(spec, size, frames_of(spec))
    both = {ENCODER: encoder, DECODER: decoder}
    learn = learning_networks(spec)
    autoencoding = Autoencoding(spec, size)
    learning = adversaries.learning(job, "g")
    return Model(
        networks=both,
        turns={"g": Turn(learn, learning, autoencoding.loss, carry=autoencoding.carry)},
        phases=_phases(spec, autoencoding),
        chance=autoencoding.chance,
        carried=autoencoding.carried,
        averages={f"average_{name}": Average(name, spec.ema) for name in learn if spec.ema},
        shown=autoencoding.shown(job),
        measured=autoencoding.measured,
    )


def _phases(spec: JobSpec, autoencoding: Autoencoding) -> tuple[Phase, ...]:
    """Of a stream, nothing is learnt before there are as many frames as are learnt from."""
    if not spec.stream:
        return (Phase(0, autoencoding.program),)
    return Phase(0, [Show()]), Phase(spec.fifo - 1, autoencoding.program)


def describe_application(
    spec: JobSpec,
    size: Resolution,
    name: str,
    *,
    raw: bool,  # noqa: ARG001
    channels: int | None = None,
) -> Applying:
    """What codes pictures of this size and makes them again, of the first `channels` of latents."""
    assert name == DECODER, "an encoder makes no pictures"
    coder, encoder, decoder = build(spec, size)
    remembered = FrameByFrame(coder.plan) if coder.plan.remembers else None
    network = coder.composed(encoder, decoder, channels)
    return Applying(network, coder.seen, coder.levels, remembered=remembered)

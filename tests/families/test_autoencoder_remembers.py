"""Autoencoders whose decoder remembers: clips at once and frame by frame, cuts, resumes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from keras import ops

from jobs.families.autoencoder.layers import coding_of
from jobs.families.feed import PICTURES
from jobs.families.table import FAMILIES
from jobs.settings.kinds import Resolution
from jobs.workspace.jobfile import JobFile
from multitrain.engine.adopting import starting_weights
from multitrain.engine.feeds import OpenFeed, clips
from multitrain.engine.model import EMPTY, Batch, begins_of
from multitrain.engine.session import Session, SessionSettings
from multitrain.families import open_session
from multitrain.families.autoencoder.describing import Networks, build
from multitrain.families.autoencoder.learning import STATE, Autoencoding
from tests.combinations import first_on_jax

MakeJob = Callable[..., JobFile]

FAMILY = FAMILIES["autoencoder"]
SIZE = Resolution(40, 29)
FRAMES = 5
RANDOM = np.random.default_rng(0)


@pytest.fixture
def make_job(tiny_job: MakeJob) -> MakeJob:
    def make(**columns: object) -> JobFile:
        tiny = {"family": "autoencoder", "features": 4, "latent_channels": 3, "clip": FRAMES}
        more = {"memory": "conv-lstm", "batch_size": 2, "snapshot": "step"}
        return tiny_job(SIZE.width, SIZE.height, **tiny | more | columns)

    return make


def latents_of(made: Networks, *leading: int) -> np.ndarray:
    shape = made.coder.plan.latents
    whole = RANDOM.integers(-9, 10, (*leading, shape.height, shape.width, shape.channels))
    return whole.astype(np.float32)


def decoded(made: Networks, clip: np.ndarray, state: Any = None) -> tuple[np.ndarray, Any]:
    """Of latents `(n, frames, ...)`: the decoder's shares `(n, frames, ...)`, and its state."""
    flat = ops.convert_to_tensor(clip.reshape(-1, *clip.shape[2:]))
    shares, after = made.coder.decoded(made.decoder, flat, state, clip.shape[1])
    found = np.asarray(shares)
    return found.reshape(*clip.shape[:2], *found.shape[1:]), after


@pytest.mark.parametrize("net", first_on_jax(["small", "oval"]))
def test_a_clip_at_once_is_what_its_frames_are_one_by_one(make_job: MakeJob, net: str) -> None:
    spec = make_job(net=net, **({"features": None} if net == "oval" else {})).spec
    at_once, one_by_one = build(spec, SIZE, FRAMES), build(spec, SIZE)
    one_by_one.decoder.set_weights(at_once.decoder.get_weights())
    clip, state = latents_of(at_once, 2, FRAMES), None

    whole, after = decoded(at_once, clip)

    for place in range(FRAMES):
        frame, state = decoded(one_by_one, clip[:, place : place + 1], state)
        np.testing.assert_allclose(frame[:, 0], whole[:, place], atol=1e-5)
    np.testing.assert_allclose(np.asarray(state), np.asarray(after), atol=1e-5)
    alone, _ = decoded(one_by_one, clip[:, -1:])
    assert np.abs(alone[:, 0] - whole[:, -1]).max() > 1e-3, "it remembers nothing"


def test_two_clips_in_any_order_come_out_the_same(make_job: MakeJob) -> None:
    made = build(make_job().spec, SIZE, FRAMES)
    clip = latents_of(made, 2, FRAMES)
    (one, other), _ = decoded(made, clip)
    (other_again, one_again), _ = decoded(made, clip[::-1])
    np.testing.assert_allclose(one_again, one, atol=1e-6)
    np.testing.assert_allclose(other_again, other, atol=1e-6)


def test_its_layers_are_planned(make_job: MakeJob) -> None:
    spec = make_job().spec
    coding, made = coding_of(spec, *SIZE), build(spec, SIZE)
    assert sum(layer.parameters for layer in coding.decoder) == made.decoder.count_params()
    assert [layer.number for layer in (*coding.encoder, *coding.decoder)] == list(range(1, 9))
    gates, first, *_ = coding.decoder
    assert (gates.input.channels, gates.filters, first.input.channels) == (6, 12, 6)


def test_what_is_remembered_goes_on_and_not_beyond_a_cut(make_job: MakeJob) -> None:
    """At each place of a batch for itself."""
    spec = make_job(quantise=0).spec
    autoencoding, made = Autoencoding(spec, SIZE), build(spec, SIZE, FRAMES)
    sent, state = latents_of(made, 2 * FRAMES), made.coder.plan.state
    before = RANDOM.normal(size=(2, state.height, state.width, state.channels))
    carried = {STATE: before.astype(np.float32)}

    def nets(name: str, inputs: Any, training: bool = True) -> Any:
        return ops.convert_to_tensor(sent) if name == "encoder" else made.decoder(inputs)

    clip = RANDOM.integers(0, 256, (2, FRAMES, SIZE.height, SIZE.width, 3), np.uint8)
    feeds = {PICTURES: clip, begins_of(PICTURES): np.array([True, False])}

    kept = autoencoding.loss(nets, Batch(feeds, EMPTY, EMPTY, carried)).kept

    by_clip = sent.reshape(2, FRAMES, *sent.shape[1:])
    _, begun = decoded(made, by_clip[:1])
    _, gone_on = decoded(made, by_clip[1:], ops.convert_to_tensor(carried[STATE][1:]))
    assert autoencoding.carry
    after = np.asarray(autoencoding.carry(carried, kept)[STATE])
    np.testing.assert_allclose(after, np.concatenate([begun, gone_on]), atol=1e-5)
    _, forgot = decoded(made, by_clip[1:])
    assert np.abs(after[1:] - np.asarray(forgot)).max() > 1e-3, "this says nothing"


def opened(job: JobFile, seen: np.ndarray, runs: list[int]) -> Session:
    """Of videos with so many frames."""
    feeds = {}
    for each in job.feeds:
        numbers, _, firsts = clips(runs, each.frames, go_on=each.goes_on)
        feeds[each.name] = OpenFeed(each, seen, numbers, runs=firsts)
    return open_session(job, feeds, SessionSettings())


@pytest.mark.long_on_jax
def test_it_is_measured_and_its_state_is_kept(make_job: MakeJob) -> None:
    """What is carried from clip to clip is in checkpoints, and in no weights."""
    job = make_job(clip=2, validation="v")
    seen = RANDOM.integers(0, 256, (8, SIZE.height, SIZE.width, 3), np.uint8)
    session = opened(job, seen, [3, 5])

    frames = session.run(1).frames
    state, measures = session.state(), session.measured()

    assert len(frames) == 1
    assert np.abs(state[f"carried/{STATE}"]).max() > 0
    assert measures["ratio"] == pytest.approx(3 * 40 * 29 / measures["bytes"], rel=0.05)
    _, *both = build(job.spec, SIZE)
    assert starting_weights(state, "autoencoder").keys() == {
        f"{network.name}/{variable.path}" for network in both for variable in network.variables
    }


@pytest.mark.parametrize(
    ("columns", "column"),
    [({"memory": "none"}, "clip"), ({"dataset": "a*2,b"}, "dataset"), ({}, None)],
)
def test_what_cannot_be_is_told(
    make_job: MakeJob, columns: dict[str, object], column: str | None
) -> None:
    reasons = FAMILY.impossible(make_job(**columns).spec, *SIZE)
    assert list(reasons) == ([column] if column else [])

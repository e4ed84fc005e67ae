"""Frames between frames: what is given, what is wanted, and what cannot be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from jobs.families.feed import PICTURES
from jobs.families.inbetween.layers import Interpolator
from jobs.families.table import FAMILIES
from jobs.workspace.jobfile import JobFile
from multitrain.engine.feeds import OpenFeed, clips
from multitrain.engine.model import Batch
from multitrain.engine.session import SessionSettings
from multitrain.families import adversaries, open_session
from multitrain.families.inbetween.building import build_interpolator
from multitrain.families.inbetween.learning import BACKWARDS, Interpolating
from multitrain.networks.metrics import measures
from tests.families.told import Told

MakeJob = Callable[..., JobFile]

WIDTH, HEIGHT = 20, 18
INBETWEEN = FAMILIES["inbetween"]
RANDOM = np.random.default_rng(0)


@pytest.fixture
def make_job(tiny_job: MakeJob) -> MakeJob:
    """`make_job(**columns)`: a tiny one."""

    def make(**columns: object) -> JobFile:
        tiny = {"family": "inbetween", "features": 4, "blocks": 1, "batch_size": 2}
        return tiny_job(WIDTH, HEIGHT, **tiny | columns)

    return make


@pytest.mark.parametrize("model", ["rgb", "grey", "rgba", "lab"])
def test_it_begins_with_what_blending_gives(make_job: MakeJob, model: str) -> None:
    """At any time; and its layers are those that were planned."""
    plan = Interpolator.of(make_job(colour_model=model).spec, WIDTH, HEIGHT)
    network = build_interpolator(plan, adversaries.seeds(0))
    frames = RANDOM.uniform(-1, 1, (3, HEIGHT, WIDTH, 2, plan.channels)).astype(np.float32)
    shares = np.float32([0.25, 0.5, 0.9])[:, None, None, None]
    one, other = frames[:, :, :, 0], frames[:, :, :, 1]
    at = np.broadcast_to(shares, (3, HEIGHT, WIDTH, 1))

    made = np.asarray(network(np.concatenate([one, other, at], axis=-1)))

    np.testing.assert_allclose(made, one + shares * (other - one), atol=1e-5)
    assert network.count_params() == sum(layer.parameters for layer in plan.layers)


def test_all_frames_between_the_ends_are_wanted_forth_and_back(make_job: MakeJob) -> None:
    """The loss by hand, of a network that adds up what it is given."""
    clip = RANDOM.integers(0, 256, (2, 4, HEIGHT, WIDTH, 3), np.uint8)
    interpolating = Interpolating(make_job(clip=4, losses="l1*2,l2").spec)
    nets: Any = Told(generator=lambda x: 0.5 * x[..., :3] + x[..., 3:6] + x[..., 6:])
    backwards = np.array([0.4, 0.6], np.float32)

    loss = float(
        interpolating.distance(nets, Batch({PICTURES: clip}, {BACKWARDS: backwards}, {}, {})).loss
    )

    values = np.stack([clip[0], clip[1][::-1]]) / 127.5 - 1
    apart = np.concatenate(
        [0.5 * each[0] + each[3] + place / 3 - each[place] for each in values for place in (1, 2)]
    )
    assert loss == pytest.approx(2 * np.abs(apart).mean() + np.square(apart).mean(), rel=1e-5)


def test_frames_show_the_middle_and_what_is_measured_stands_beside_blending(
    make_job: MakeJob,
) -> None:
    job = make_job(
        clip=4, show="blend+output+target", validation="unseen", grid_width=1, grid_height=1
    )
    feeds = {}
    for each in job.feeds:
        pictures = RANDOM.integers(0, 256, (8, HEIGHT, WIDTH, 3), np.uint8)
        numbers, *_ = clips([8], each.frames, go_on=each.goes_on)
        feeds[each.name] = OpenFeed(each, pictures, numbers)
    session = open_session(job, feeds, SessionSettings())

    found = session.measured()
    frame = session.run(1).frames[0]

    assert frame.shape == (HEIGHT, 3 * WIDTH, 3)
    first = feeds[PICTURES].pictures[:4].astype(np.float32)
    np.testing.assert_array_equal(frame[:, 2 * WIDTH :], first[2])
    blend = first[0] + 2 / 3 * (first[3] - first[0])
    assert np.abs(frame[:, :WIDTH] - blend).max() <= 1
    assert list(found) == ["psnr", "ssim", "psnr_blend", "ssim_blend"]
    each = []
    for clip in feeds["validation"].pictures.reshape(2, 4, HEIGHT, WIDTH, 3).astype(np.float32):
        shares = np.float32([1 / 3, 2 / 3])[:, None, None, None]
        each.append(np.asarray(measures(clip[:1] + shares * (clip[3:] - clip[:1]), clip[1:3])))
    blended = np.mean(each, axis=0)
    assert list(found.values()) == pytest.approx([*blended, *blended], abs=2e-3), "at step 0"


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"clip": 2}, ("clip", "2 leaves no frame between the first and the last")),
        ({"losses": "gan"}, ("losses", "names gan, which an inbetween does not have")),
        ({"losses": "tv"}, ("losses", "wants nothing of pictures but that they are flat")),
        ({"show": "input+output"}, ("show", "shows input, which an inbetween does not have")),
        ({"snapshot": "update"}, ("snapshot", "update shows a frame after each network's turn")),
        ({"colour_model": "packed24"}, ("colour_model", "packed24 has other colours between two")),
    ],
)
def test_what_cannot_be_is_told(
    make_job: MakeJob, columns: dict[str, object], told: tuple[str, str]
) -> None:
    reasons = INBETWEEN.impossible(make_job(**columns).spec, WIDTH, HEIGHT)
    column, reason = told
    assert reasons.keys() == {column}
    assert reasons[column].startswith(reason)

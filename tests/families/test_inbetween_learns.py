"""That a network learns what moves: frames between those that it never saw, beside blending."""

from __future__ import annotations

import os
from statistics import fmean
from typing import NamedTuple

import numpy as np
import pytest
from keras import ops

from jobs.families.feed import PICTURES
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from multitrain.engine.feeds import OpenFeed, clips
from multitrain.engine.session import Session, SessionSettings
from multitrain.families import open_session
from multitrain.families.inbetween.describing import describe_application
from multitrain.inference.network import TrainedNetwork
from multitrain.networks.metrics import quality
from tests.families.photos import TRAINED_ON, UNSEEN, pans

CLIPS, FRAMES, LARGE = 80, 7, 96  # of pans that are trained on, and pixels a side
SEEN, LONG, SIDE = 8, 16, 128  # of those that are not


class Compared(NamedTuple):
    """PSNR of brightness, in dB, of the frames between two of clips that were not trained on."""

    network: float
    blend: float
    repeat: float


def spec_of(**columns: object) -> JobSpec:
    given = {
        "name": "tween", "family": "inbetween", "dataset": "pans", "grid_width": 1,
        "grid_height": 1, "steps": 2000, "preprocess": "crop", "crop_size": "64", "flip": True,
        "batch_size": 8, "precision": "float32", "learning_rate_g": 0.001, "schedule_g": "cosine",
        "engine": os.environ.get("KERAS_BACKEND", "tensorflow"),
    }  # fmt: skip
    return JobSpec.model_validate(given | columns)


def trained(spec: JobSpec, steps: int, every: int) -> tuple[Session, JobFile]:
    """On pans over photos, of which each so manieth frame is taken."""
    side = spec.crop_size.width
    job = JobFile(spec=spec, image_width=side, image_height=side, loaded=f"{LARGE}x{LARGE}")
    pictures = pans(TRAINED_ON, CLIPS, LARGE, FRAMES, 0).reshape(CLIPS, FRAMES, LARGE, LARGE, 3)
    some = pictures[:, ::every]
    numbers, *_ = clips([some.shape[1]] * CLIPS, spec.clip, go_on=False)
    learnt = OpenFeed(job.feeds[0], some.reshape(-1, LARGE, LARGE, 3), numbers)
    session = open_session(job, {PICTURES: learnt}, SessionSettings())
    session.run(steps)
    return session, job


def compared(session: Session, job: JobFile, every: int, times: int = 2) -> Compared:
    """Frames so many times `every` apart are given, and those at `every` between them are made."""
    unseen = pans(UNSEEN, SEEN, SIDE, LONG, 1).reshape(SEEN, LONG, SIDE, SIDE, 3)
    cases = [
        (clip[first], clip[first + times * every], clip[first + step * every], step / times)
        for clip in unseen
        for first in range(0, LONG - times * every, times * every)
        for step in range(1, times)
    ]
    one, other, wanted = (np.stack(each) for each in list(zip(*cases, strict=True))[:3])
    shares = np.float32([share for *_, share in cases])
    applying = describe_application(job.spec, Resolution(SIDE, SIDE), "generator", raw=True)
    network = TrainedNetwork(applying.network, "generator", job)
    values = [applying.to_network(ops.convert_to_tensor(each)) for each in (one, other)]
    given = applying.between(*values, ops.convert_to_tensor(shares))
    made = applying.to_levels(network.answer(network.place(session.state()), given))
    share = shares[:, None, None, None]
    blend = one + share * (other.astype(np.float32) - one)
    nearest = np.where(share > 0.5, other, one)
    ratios = (
        [quality(each[place][None], wanted[place][None], 0).psnr_y for place in range(len(wanted))]
        for each in (np.asarray(made), blend, nearest)
    )
    return Compared(*map(fmean, ratios))


@pytest.mark.long_on_jax
def test_fast_motion_is_found_within_seconds() -> None:
    """Measured: 24.54 dB, of 23.73 that blending gives."""
    quick = {"batch_size": 4, "features": 16, "blocks": 2, "learning_rate_g": 0.002, "steps": 200}
    found = compared(*trained(spec_of(**quick), 200, every=3), every=3)
    assert found.network > found.blend + 0.3, found


@pytest.mark.long
@pytest.mark.parametrize("every", [1, 3])
def test_unseen_pans_come_out_better_than_blended(every: int) -> None:
    """Measured, of every frame: 38.05 dB, blending 31.40; of every third: 30.47 and 23.73."""
    found = compared(*trained(spec_of(steps=1000), 1000, every), every)
    assert found.network > found.blend + 4.0, found

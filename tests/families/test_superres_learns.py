"""That networks which enlarge learn it: photos that they never saw come out better than scaled."""

from __future__ import annotations

import os
from functools import partial
from statistics import fmean
from typing import NamedTuple

import numpy as np
import pytest
from keras import ops

from jobs.families.feed import PICTURES, Feed
from jobs.families.superres.plan import frames_of
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from multitrain.engine.feeds import OpenFeed, clips
from multitrain.engine.session import Session, SessionSettings
from multitrain.families import open_session
from multitrain.families.superres.describing import describe_application
from multitrain.inference.network import TrainedNetwork
from multitrain.networks.metrics import quality
from multitrain.networks.resizing import resized
from tests.families.photos import PANNED, UNSEEN, pans, parts, photo

CLIP = 7  # frames
LARGE = 96  # pixels a side, of what parts are cut out of


class Length(NamedTuple):
    """So many steps, and by how many dB brightness is to be better then."""

    steps: int
    better: float
    columns: dict[str, object]


def spec_of(seed: int, columns: dict[str, object]) -> JobSpec:
    return JobSpec.model_validate(
        {
            "name": "photos",
            "engine": os.environ.get("KERAS_BACKEND", "tensorflow"),
            "family": "superres",
            "dataset": "photos",
            "grid_width": 1,
            "grid_height": 1,
            "video_length": 1,
            "preprocess": "crop",
            "crop_size": "48",
            "flip": True,
            "batch_size": 8,
            "precision": "float32",
            "learning_rate_g": 0.001,
            "seed": seed,
            **columns,
        }
    )


SMALL = {"net": "srresnet", "blocks": 4, "features": 32, "scale": 2}
QUICK = Length(
    120, 0.3, {"blocks": 2, "features": 16, "learning_rate_g": 0.003}
)  # measured: -0.88 at the start, which is scaled bilinearly, -0.25 after 60 steps, then 0.85
PAN = {"net": "pan", "blocks": 6, "scale": 4, "crop_size": "64"}


@pytest.mark.long_on_jax
@pytest.mark.parametrize(
    ("columns", "short", "long_one"),
    [
        (SMALL, QUICK, Length(600, 0.7, {})),
        pytest.param(PAN, None, Length(800, 0.4, {}), marks=pytest.mark.long),
    ],
    ids=["twice", "four times"],
)
def test_unseen_photos_come_out_better(
    columns: dict[str, object], short: Length, long_one: Length, long: bool
) -> None:
    length = long_one if long else short
    spec = spec_of(0, {**columns, **length.columns})
    side = spec.crop_size.width
    job = JobFile(spec=spec, image_width=side, image_height=side, loaded=f"{LARGE}x{LARGE}")
    feeds = {PICTURES: OpenFeed(Feed(PICTURES, ()), parts(LARGE, LARGE // 2))}
    session = open_session(job, feeds, SessionSettings())

    session.run(length.steps)

    assert better_by(session, job) > length.better


def better_by(session: Session, job: JobFile) -> float:
    """In dB of brightness, the mean over the photos that were not trained on."""
    gains = []
    for name in UNSEEN:
        high, scale = photo(name), job.spec.scale
        height, width = (side - side % scale for side in high.shape[:2])
        high = high[None, :height, :width]
        size = Resolution(width // scale, height // scale)
        applying = describe_application(job.spec, size, "generator", raw=True)
        network = TrainedNetwork(applying.network, "generator", job)
        low = applying.lowered(ops.convert_to_tensor(high))
        made = network.answer(network.place(session.state()), applying.to_network(low))
        ours, plain = (
            quality(np.asarray(each), high, scale).psnr_y
            for each in (applying.to_levels(made), resized(low, height, width))
        )
        gains.append(ours - plain)
    return fmean(gains)


class Seen(NamedTuple):
    """Of clips that were not trained on: PSNR in dB, and how much changes that should not."""

    psnr: float
    flicker: float


@pytest.mark.long
def test_what_remembers_is_better_than_its_twin_for_single_frames_and_flickers_less() -> None:
    """Measured: 34.85 dB and 4.204 levels, the twin 34.70 and 4.237."""
    steps = 2000
    alike = {"features": 24, "schedule_g": "cosine", "steps": steps, "video_length": None}
    recurrent = spec_of(0, {"net": "recurrent", "blocks": 3, "batch_size": 4, **alike})
    twin = spec_of(0, {"net": "compact", "blocks": 6, "batch_size": 28, **alike})

    ours, theirs = (seen_of(spec, steps) for spec in (recurrent, twin))

    assert ours.psnr > theirs.psnr + 0.1
    assert ours.flicker < theirs.flicker


def seen_of(spec: JobSpec, steps: int) -> Seen:
    """After a training on pans over photos; the first frames of each clip do not count."""
    job = JobFile(spec=spec, image_width=48, image_height=48, loaded=f"{LARGE}x{LARGE}")
    feed, frames = job.feeds[0], frames_of(spec)
    numbers, *_ = clips([CLIP] * 80, frames, go_on=False)
    learnt = OpenFeed(feed, pans(PANNED, 80, LARGE, CLIP, 0), numbers if frames > 1 else None)
    session = open_session(job, {PICTURES: learnt}, SessionSettings())
    session.run(steps)
    applying = describe_application(spec, Resolution(64, 64), "generator", raw=True)
    network = TrainedNetwork(applying.network, "generator", job)
    weights = network.place(session.state())
    ratios, changes = [], []
    for clip in pans(UNSEEN, 8, 128, 16, 1).reshape(8, 16, 128, 128, 3):
        low = applying.to_network(applying.lowered(ops.convert_to_tensor(clip)))
        answer = partial(network.answer, weights)
        made = (
            applying.remembered.clip(answer, low[None])[0] if applying.remembered else answer(low)
        )
        levels = np.asarray(applying.to_levels(made))
        ratios += [
            quality(levels[place][None], clip[place][None], 0).psnr_y for place in range(3, 16)
        ]
        off = np.diff(levels, axis=0) - np.diff(clip.astype(float), axis=0)
        changes.append(np.abs(off[3:]).mean())
    return Seen(fmean(ratios), fmean(changes))

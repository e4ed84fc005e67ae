"""That each stage of a ppon is better at what it is for, on photos that it never saw."""

from __future__ import annotations

import os
from collections.abc import Mapping
from statistics import fmean

import numpy as np
import pytest
from keras import ops

from jobs.families.feed import PICTURES, Feed
from jobs.families.ppon.layers import CONTENT, PERCEPTION, STAGES, STRUCTURE
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from multitrain.engine.feeds import OpenFeed
from multitrain.engine.session import Session, SessionSettings, State
from multitrain.families import open_session
from multitrain.families.ppon.describing import describe_application
from multitrain.inference.network import TrainedNetwork
from multitrain.networks.metrics import quality
from tests.families.photos import UNSEEN, parts, photo

LARGE = 96  # pixels a side, of what parts are cut out of
SEEN = 192  # pixels a side, of the middle of each photo that is measured by
STEPS = 1600

Made = Mapping[str, np.ndarray]  # `(height, width, 3)` uint8 by stage, and the `target`


def fresh() -> tuple[JobFile, Session]:
    """A small one, which four minutes of one core train."""
    columns = {
        "name": "photos",
        "engine": os.environ.get("KERAS_BACKEND", "tensorflow"),
        "family": "ppon",
        "dataset": "photos",
        "grid_width": 1,
        "grid_height": 1,
        "video_length": 1,
        "preprocess": "crop",
        "crop_size": "48",
        "flip": True,
        "batch_size": 8,
        "precision": "float32",
        "scale": 2,
        "features": 16,
        "blocks": 1,
        "patch": "34",
        "learning_rate_g": 0.002,
        "schedule_g": "cosine",
        "ppon_stages": "1000/1300",
        "show": "content+structure+perception+target",
        "snapshot": "every 10 steps",
    }
    spec = JobSpec.model_validate(columns)
    job = JobFile(spec=spec, image_width=48, image_height=48, loaded=f"{LARGE}x{LARGE}")
    feeds = {PICTURES: OpenFeed(Feed(PICTURES, ()), parts(LARGE, LARGE // 2))}
    return job, open_session(job, feeds, SessionSettings())


def made_of(name: str, job: JobFile, state: State) -> Made:
    """What each stage makes of the middle of a photo."""
    whole = photo(name)
    top, left = ((side - SEEN) // 2 for side in whole.shape[:2])
    high = whole[top : top + SEEN, left : left + SEEN]
    half = Resolution(SEEN // 2, SEEN // 2)
    found = {"target": high}
    for stage in STAGES:
        applying = describe_application(job.spec, half, stage, raw=True)
        network = TrainedNetwork(applying.network, stage, job)
        low = applying.to_network(applying.lowered(ops.convert_to_tensor(high[None])))
        made = applying.to_levels(network.answer(network.place(state), low))
        found[stage] = np.round(np.asarray(made)[0]).astype(np.uint8)
    return found


def apart_in_grain(made: np.ndarray, wanted: np.ndarray) -> float:
    """How much more or less pixels differ from their neighbours, in levels, wherever they do.

    The distance of Wasserstein between both pictures' differences: that of their ranks.
    """
    both = (each.astype(float) for each in (made, wanted))
    one, other = (np.sort(np.abs(np.diff(each, axis=1)).ravel()) for each in both)
    return float(np.abs(one - other).mean())


@pytest.mark.long
@pytest.mark.long_on_jax
@pytest.mark.timeout(7200)
def test_each_stage_is_better_at_its_own() -> None:
    """Structure is nearer to the photo in MS-SSIM than content, and perception in its grain."""
    job, session = fresh()
    session.run(STEPS)
    every = [made_of(name, job, session.state()) for name in UNSEEN]

    structure, content = (
        fmean(quality(each[stage][None], each["target"][None], 2).ms_ssim for each in every)
        for stage in (STRUCTURE, CONTENT)
    )
    assert structure > content
    perception, before = (
        fmean(apart_in_grain(each[stage], each["target"]) for each in every)
        for stage in (PERCEPTION, STRUCTURE)
    )
    assert perception < before

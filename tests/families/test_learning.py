"""That the network learns: its samples come to be distributed as the pictures of `demo` are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from jobs.pictures.finding import DEMO_SIZE
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from multitrain.datasets.decoded.folders import load_pictures
from multitrain.datasets.drawn.demo import draw_demo
from multitrain.engine.feeds import only
from multitrain.engine.session import SessionSettings
from multitrain.families import open_session


class Length(NamedTuple):
    """How far the distance at the start is to shrink."""

    steps: int
    largest_share: float
    rates: dict[str, float]


# Measured with seeds 0, 1, 2: 0.54, 0.46, 0.55; without learning: 0.98.
SHORT = Length(60, 0.75, {"learning_rate_g": 0.001, "learning_rate_d": 0.001})
# At the rates of a user who sets none: 0.21 to 0.25.
LONG = Length(500, 0.6, {})

PROJECTIONS = 200
QUANTILES = np.linspace(0, 1, 101)

# Two generator updates: with one, the discriminator wins for the first hundreds of steps.
SPEC = JobSpec(
    name="learning",
    engine=os.environ.get("KERAS_BACKEND", "tensorflow"),
    dataset=("demo",),
    grid_width=8,
    grid_height=8,
    video_length=1,
    snapshot="step",
    batch_size=16,
    nbr_g_updates=2,
    nbr_of_layers_g=4,
    nbr_of_layers_d=4,
    gf_dim=16,
    df_dim=16,
)


@pytest.mark.long_on_jax
@pytest.mark.parametrize(
    "seed", [0, pytest.param(1, marks=pytest.mark.long), pytest.param(2, marks=pytest.mark.long)]
)
def test_samples_come_close_to_the_data_set(tmp_path: Path, seed: int, long: bool) -> None:
    draw_demo(tmp_path)
    width, height = DEMO_SIZE
    pictures = load_pictures([tmp_path], width, height).images
    length = LONG if long else SHORT
    spec = SPEC.model_copy(update={"seed": seed, **length.rates})
    job = JobFile(spec=spec, image_width=width, image_height=height)
    session = open_session(job, only(pictures), SessionSettings())

    start = distance(samples(session.run(1).frames[-1], job), pictures)
    end = distance(samples(session.run(length.steps - 1).frames[-1], job), pictures)

    assert end <= length.largest_share * start


def samples(frame: np.ndarray, job: JobFile) -> np.ndarray:
    """The cells of a frame: `(n, height, width, 3)` uint8."""
    height, width = job.image_height, job.image_width
    cells = frame.reshape(job.spec.grid_height, height, job.spec.grid_width, width, 3)
    return cells.transpose(0, 2, 1, 3, 4).reshape(-1, height, width, 3)


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Sliced Wasserstein distance of two sets of pictures, in units of light from 0 to 1.

    Rabin et al. 2011: the mean over random directions of the distance between the projections,
    which in one dimension is that of the quantiles.
    """
    dimensions = one[0].size
    directions = np.random.default_rng(0).normal(size=(dimensions, PROJECTIONS))
    directions /= np.linalg.norm(directions, axis=0)
    projected = [each.reshape(-1, dimensions) / 255 @ directions for each in (one, other)]
    first, second = (np.quantile(each, QUANTILES, axis=0) for each in projected)
    return float(np.abs(first - second).mean())

"""Tiny jobs for every family."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from jobs.jobfile import JobFile
from jobs.spec import JobSpec

WIDTH, HEIGHT = 12, 9

TINY = {
    "name": "tiny",
    "dataset": "demo",
    "grid_width": 3,
    "grid_height": 2,
    "video_length": 1,
    "nbr_of_layers_g": 3,
    "nbr_of_layers_d": 3,
    "gf_dim": 4,
    "df_dim": 4,
    "z_dim": 5,
    "k_w": 3,
    "k_h": 3,
}


@pytest.fixture
def tiny_job() -> Callable[..., JobFile]:
    """`tiny_job(width=12, height=9, **columns)`: a DCGAN of a few hundred weights."""

    def make(width: int = WIDTH, height: int = HEIGHT, **columns: object) -> JobFile:
        spec = JobSpec.model_validate({**TINY, **columns})
        return JobFile(spec=spec, image_width=width, image_height=height)

    return make


@pytest.fixture
def noise() -> Callable[..., np.ndarray]:
    """`noise(job, count=7)`: pictures `(count, height, width, 3)` uint8."""

    def make(job: JobFile, count: int = 7) -> np.ndarray:
        size = (count, job.image_height, job.image_width, 3)
        return np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)

    return make

"""Fixtures for every room: a workspace whose folder has a hostile name, and folders of pictures."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths, Workspace

HOSTILE_NAME = 'l\'été 50 % "$HOME" [%03d] #1'

MakePictures = Callable[..., list[Path]]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace in a folder with spaces, quotes, a percent sign and accents."""
    root = tmp_path / HOSTILE_NAME
    root.mkdir()
    return Workspace(root)


@pytest.fixture
def paths(workspace: Workspace) -> JobPaths:
    """Of a job of that name."""
    return workspace.job("job")


@pytest.fixture
def make_pictures() -> MakePictures:
    """`make_pictures(folder, count=4, size=(16, 12), suffix=".png")` writes RGB noise.

    `size` is (width, height) in pixels. The files are `picture_000.png` and so on; the same call
    makes the same pictures.
    """

    def make(
        folder: Path, count: int = 4, size: tuple[int, int] = (16, 12), suffix: str = ".png"
    ) -> list[Path]:
        folder.mkdir(parents=True, exist_ok=True)
        random = np.random.default_rng(0)
        paths = [folder / f"picture_{number:03d}{suffix}" for number in range(count)]
        for path in paths:
            noise = random.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
            Image.fromarray(noise).save(path)
        return paths

    return make


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
    "precision": "float32",
    "engine": os.environ.get("KERAS_BACKEND", "tensorflow"),  # what this process can train with
}


@pytest.fixture
def tiny_job() -> Callable[..., JobFile]:
    """`tiny_job(width=12, height=9, **columns)`: a DCGAN of a few hundred weights.

    `loaded`, as in a `JobFile`, is for parts that are cut out of larger pictures.
    """

    def make(
        width: int = WIDTH, height: int = HEIGHT, loaded: str | None = None, **columns: object
    ) -> JobFile:
        spec = JobSpec.model_validate({**TINY, **columns})
        return JobFile(spec=spec, image_width=width, image_height=height, loaded=loaded)

    return make


@pytest.fixture
def noise() -> Callable[..., np.ndarray]:
    """`noise(job, count=7)`: pictures `(count, height, width, channels)` uint8."""

    def make(job: JobFile, count: int = 7) -> np.ndarray:
        width, height = job.loaded_size
        size = (count, height, width, job.plan.channels)
        return np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)

    return make

"""The training that benchmarks measure: pictures of 160x90, the default DCGAN, a grid of 3x3."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.figures import Effort
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from multitrain.datasets.drawn.landscapes import draw_landscape

WIDTH, HEIGHT = 160, 90
PICTURES = 400
CORES = 2  # of every contender, whatever the machine has
FADE_FRAMES = 12  # from one landscape to the next: a training film is restless
GRAIN = 6  # standard deviation, in levels of grey: at crf 17, frames take as many bits per pixel
# (0.7 to 1.0) as those of the example's films do

QUICK_WIDTH, QUICK_HEIGHT = 18, 10
QUICK_PICTURES = 12
QUICK = {"nbr_of_layers_g": 3, "nbr_of_layers_d": 3, "gf_dim": 4, "df_dim": 4, "z_dim": 5}


def standard_job(effort: Effort, **columns: object) -> JobFile:
    """The job with the sheet's defaults but for `columns`; a tiny one where that is enough."""
    given = {"name": "standard", "dataset": "demo", "grid_width": 3, "grid_height": 3}
    size = (QUICK_WIDTH, QUICK_HEIGHT) if effort.quick else (WIDTH, HEIGHT)
    spec = JobSpec.model_validate(
        {**given, "video_length": 60, **(QUICK if effort.quick else {}), **columns}
    )
    return JobFile(spec=spec, image_width=size[0], image_height=size[1])


def landscapes(count: int, width: int, height: int) -> NDArray[np.uint8]:
    """The built-in pictures in another size: `(count, height, width, 3)` uint8."""
    return np.stack([draw_landscape(number, width, height) for number in range(count)])


def make_data_set(folder: Path, effort: Effort) -> None:
    """The standard job's pictures as files in a new folder."""
    job = standard_job(effort)
    count = QUICK_PICTURES if effort.quick else PICTURES
    folder.mkdir(parents=True)
    for number, picture in enumerate(landscapes(count, job.image_width, job.image_height)):
        Image.fromarray(picture).save(folder / f"{number:03d}.png")


def moving_frames(
    count: int, columns: int, rows: int, width: int, height: int
) -> Iterator[NDArray[np.uint8]]:
    """`count` frames of `columns` x `rows` cells of `width` x `height` pixels.

    In each cell one landscape turns into the next, drifts and is grainy: about as much new in each
    frame as a training shows, and as many edges.
    """
    cells = columns * rows
    random = np.random.default_rng(0)
    drawn = landscapes(cells + 1, width, height).astype(np.float32)
    for number in range(count):
        share = number % FADE_FRAMES / FADE_FRAMES
        first = np.arange(cells) + number // FADE_FRAMES
        mixed = drawn[first % len(drawn)] * (1 - share) + drawn[(first + 1) % len(drawn)] * share
        drifted = np.roll(mixed, number % width, axis=2)
        grain = random.normal(0, GRAIN, (*drifted.shape[:3], 1))
        light = (drifted + grain).clip(0, 255).astype(np.uint8)
        grid = light.reshape(rows, columns, height, width, 3).swapaxes(1, 2)
        yield np.ascontiguousarray(grid.reshape(rows * height, columns * width, 3))


@contextmanager
def on_cores(cores: int = CORES) -> Iterator[None]:
    """This process, and those that it starts meanwhile, run on so many of its cores."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[:cores])
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)

"""The built-in data set: `data/demo`, drawn on first use."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from PIL import Image

from jobs.errors import DatasetError
from jobs.pictures.finding import DEMO, DEMO_COUNT, DEMO_SIZE, demo_is_built_in
from jobs.workspace.paths import Workspace
from multitrain.datasets.drawn.landscapes import draw_landscape
from multitrain.datasets.made.making import Taken, new_folder


def ensure_demo(workspace: Workspace) -> None:
    """Draw `data/demo` unless it holds something already. It appears whole or not at all.

    Takes some seconds the first time. UsageError where another process is just drawing it,
    DatasetError where it cannot be written.
    """
    folder = workspace.dataset(DEMO)
    if not demo_is_built_in(folder):
        return
    try:
        with suppress(Taken), new_folder(folder, demo_is_built_in) as part:  # theirs is kept
            draw_demo(part)
    except OSError as error:
        raise DatasetError(
            f"The built-in pictures cannot be written to {folder}: {error.strerror}"
        ) from error


def draw_demo(folder: Path, count: int = DEMO_COUNT) -> None:
    """Write `count` pictures of `DEMO_SIZE` into `folder`: the same ones every time."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(lambda number: _draw(folder, number), range(count)):
            pass


def _draw(folder: Path, number: int) -> None:
    path = folder / f"landscape_{number:03d}.png"
    Image.fromarray(draw_landscape(number, *DEMO_SIZE)).save(path)

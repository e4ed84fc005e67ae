"""The built-in data set: `data/demo`, drawn on first use."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from jobs.errors import DatasetError
from jobs.pictures.finding import DEMO, DEMO_COUNT, DEMO_SIZE, demo_is_built_in
from jobs.workspace.files import PART, flush_to_disk
from jobs.workspace.paths import Workspace
from multitrain.datasets.drawn.landscapes import draw_landscape


def ensure_demo(workspace: Workspace) -> None:
    """Draw `data/demo` unless it holds something already. It appears whole or not at all.

    Only one process at a time may do so: the one that holds the workspace. Takes a few seconds the
    first time. DatasetError where it cannot be written.
    """
    folder = workspace.dataset(DEMO)
    if not demo_is_built_in(folder):
        return
    part = workspace.data / f".{DEMO}{PART}"  # hidden, so that it is never taken for a data set
    shutil.rmtree(part, ignore_errors=True)  # left by a farm that was killed while it drew
    try:
        workspace.data.mkdir(parents=True, exist_ok=True)
        draw_demo(part)
        os.replace(part, folder)
        flush_to_disk(workspace.data)
    except OSError as error:
        if not demo_is_built_in(folder):
            return  # somebody has put pictures there meanwhile
        raise DatasetError(
            f"The built-in pictures cannot be written to {folder}: {error.strerror}"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def draw_demo(folder: Path, count: int = DEMO_COUNT) -> None:
    """Write `count` pictures of `DEMO_SIZE` into the new `folder`: the same ones every time."""
    folder.mkdir()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(lambda number: _draw(folder, number), range(count)):
            pass
    flush_to_disk(folder)


def _draw(folder: Path, number: int) -> None:
    path = folder / f"landscape_{number:03d}.png"
    Image.fromarray(draw_landscape(number, *DEMO_SIZE)).save(path)
    flush_to_disk(path)

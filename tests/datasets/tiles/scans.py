"""Pictures of noise, and the grids that cut them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import Sides
from multitrain.datasets.tiles.tiles import TileGrid

NO_TRIM = Sides(0, 0, 0, 0)


def grid(
    border: int = 2, *, edges: bool = True, jitter: bool = False, trim: Sides = NO_TRIM
) -> TileGrid:
    return TileGrid(Resolution(10, 8), border, edges, jitter, trim)


def save_noise(path: Path, size: tuple[int, int] = (40, 32), channels: int = 3) -> np.ndarray:
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = sum(path.stem.encode())
    pixels = np.random.default_rng(seed).integers(
        20, 256, (size[1], size[0], channels), dtype=np.uint8
    )
    Image.fromarray(pixels).save(path)
    return pixels


def listed(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.rglob("*.png"))


def read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def header(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image

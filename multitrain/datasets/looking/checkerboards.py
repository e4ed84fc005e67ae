"""The checkerboard of a data set: what its own pictures have, by which films can be judged."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jobs.pictures.finding import UnreadablePicture, picture_read, seen_size
from multitrain.datasets.decoded.decoding import upright
from multitrain.datasets.looking.contact_sheet import MOST_PIXELS
from multitrain.datasets.parallel import in_order
from render.clips.checkerboard import LEAST_SIDE, Powers, grid_powers, in_decibels, luma

MOST_PICTURES = 256  # evenly chosen: more would tell little more
MOST_SIDE = 512  # pixels of the middle of a picture


def checkerboard_of(paths: Sequence[Path]) -> float | None:
    """Of these pictures, in dB; None where all of them are too small to tell."""
    count = min(MOST_PICTURES, len(paths))
    chosen = [paths[number * len(paths) // count] for number in range(count)]
    with warnings.catch_warnings(action="ignore"):  # Pillow's, about oddities it copes with
        powers = [each for each in in_order(_powers, chosen) if each is not None]
    return in_decibels(np.sum(powers, axis=0)) if powers else None


def _powers(path: Path) -> Powers | None:
    """Those of the middle of a picture; None where it is too small, or cannot be read any more."""
    try:
        with picture_read(path) as image:
            size = seen_size(image)
            if min(size) < LEAST_SIDE or size.width * size.height > MOST_PIXELS:
                return None
            seen = upright(image, with_alpha=False)
    except UnreadablePicture:
        return None
    left, top = (max(0, side - MOST_SIDE) // 2 for side in seen.size)
    middle = seen.crop(
        (left, top, left + min(MOST_SIDE, seen.width), top + min(MOST_SIDE, seen.height))
    )
    return grid_powers(luma(np.asarray(middle.convert("RGB"))))

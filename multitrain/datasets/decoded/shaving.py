"""Black sides of pictures: pillars, bars, scanners' edges."""

from __future__ import annotations

import numpy as np

from jobs.settings.preprocess import Sides

BLACK = 24  # of 255, in every channel: what codecs and tapes make of black is at most this bright
SPECKS = 0.01  # the share of a row, or column, that may be brighter and it is black all the same


def black_sides(pixels: np.ndarray) -> Sides | None:
    """The black rows and columns at the edges of a picture, (height, width, 3) uint8.

    None where all of it is black.
    """
    bright = pixels.max(axis=2) > BLACK
    rows, columns = (np.flatnonzero(bright.mean(axis=axis) > SPECKS) for axis in (1, 0))
    if not (rows.size and columns.size):
        return None
    height, width = bright.shape
    return Sides(
        int(columns[0]), int(width - 1 - columns[-1]), int(rows[0]), int(height - 1 - rows[-1])
    )

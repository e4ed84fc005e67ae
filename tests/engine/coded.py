"""Pictures whose every pixel says which it is, so that parts of them can be told apart."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Part(NamedTuple):
    """Where a part was cut out, and whether it is mirrored."""

    picture: int
    top: int
    left: int
    mirrored: bool


def coded(count: int, width: int, height: int) -> np.ndarray:
    """`(count, height, width, 3)` uint8: number, row and column."""
    return np.stack(np.indices((count, height, width), dtype=np.uint8), axis=-1)


def parts_of(seen: np.ndarray) -> list[Part]:
    """Which parts of coded pictures `(..., height, width, 3)` are; each must be in one piece."""
    parts = []
    for number, rows, columns in np.moveaxis(seen.reshape(-1, *seen.shape[-3:]), -1, 1).astype(int):
        top, left = rows.min(), columns.min()
        height, width = rows.shape
        down, right = np.indices((height, width))
        mirrored = width > 1 and columns[0, 0] > columns[0, 1]
        assert (number == number[0, 0]).all()
        assert (rows - top == down).all()
        assert (columns - left == (right[:, ::-1] if mirrored else right)).all()
        parts.append(Part(int(number[0, 0]), int(top), int(left), bool(mirrored)))
    return parts

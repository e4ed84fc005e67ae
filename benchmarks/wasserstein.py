"""How alike two sets of pictures are: the sliced Wasserstein distance of their patches.

Karras et al. 2018, section 5 and appendix, https://arxiv.org/abs/1710.10196: pictures become a
Laplacian pyramid; of each of its levels, patches of 7x7 pixels are drawn, their channels brought to
mean 0 and deviation 1 within each set, and projected onto random directions; on a line, the
distance of two sets of points is the mean difference of the sorted ones. Distances are given in
thousandths, as there.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.uint8]  # (n, height, width, 3)
Values = NDArray[np.float32]

PATCH = 7  # pixels a side
PATCHES = 8192  # of each set and level
DIRECTIONS = 512
LEAST_SIDE = 16  # pixels of the smallest level
THOUSANDTHS = 1000.0


def distances(one: Pictures, other: Pictures, seed: int = 0) -> list[float]:
    """The distance at each level of the pyramid, that of the finest details first.

    Both sets are of one size; they may be of different numbers of pictures.
    """
    random = np.random.default_rng(seed)
    found = []
    for fine, also_fine in zip(_pyramid(one), _pyramid(other), strict=True):
        points = _patches(fine, random), _patches(also_fine, random)
        directions = random.standard_normal((points[0].shape[1], DIRECTIONS), np.float32)
        directions /= np.linalg.norm(directions, axis=0)
        lines = [np.sort(each @ directions, axis=0) for each in points]
        found.append(float(np.abs(lines[0] - lines[1]).mean()) * THOUSANDTHS)
    return found


def distance(one: Pictures, other: Pictures, seed: int = 0) -> float:
    """The mean over all levels."""
    return float(np.mean(distances(one, other, seed)))


def _pyramid(pictures: Pictures) -> list[list[Values]]:
    """By level, each picture's details that the level below lacks; last, what is left."""
    levels: list[list[Values]] = []
    now = [picture.astype(np.float32) for picture in pictures]
    while min(now[0].shape[:2]) >= 2 * LEAST_SIDE:
        smaller = [cv2.pyrDown(each) for each in now]
        levels.append(
            [
                each - cv2.pyrUp(below, dstsize=each.shape[1::-1])
                for each, below in zip(now, smaller, strict=True)
            ]
        )
        now = smaller
    return [*levels, now]


def _patches(pictures: list[Values], random: np.random.Generator) -> Values:
    """`(PATCHES, values)`: drawn anywhere in any picture, each channel with mean 0, deviation 1."""
    height, width, channels = pictures[0].shape
    numbers = random.integers(0, len(pictures), PATCHES)
    rows = random.integers(0, height - PATCH + 1, PATCHES)
    columns = random.integers(0, width - PATCH + 1, PATCHES)
    patches = np.stack(
        [
            pictures[number][row : row + PATCH, column : column + PATCH]
            for number, row, column in zip(numbers, rows, columns, strict=True)
        ]
    )
    patches -= patches.mean(axis=(0, 1, 2))
    patches /= np.maximum(patches.std(axis=(0, 1, 2)), 1e-8)
    return patches.reshape(PATCHES, PATCH * PATCH * channels)

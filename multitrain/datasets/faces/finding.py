"""Where the faces of a picture are, by a cascade; which part of it shows one with a margin."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from jobs.settings.kinds import Resolution

if TYPE_CHECKING:
    from skimage.feature import Cascade

GROWTH = 1.1  # from one size of windows to the next
STEP = 1.0  # from window to window, in pixels of the cascade's own window
SHARE = 1 / 12  # of a picture's shorter side: smaller faces are not looked for
LEAST = 64  # pixels
LEAST_HITS = 6  # windows that agree: fewer are chance
MOST_COMMON = 0.3  # of the area of the smaller of two windows: with more, they show one face
FINENESS = 2  # how many times as large as the cascade's window the smallest faces stay

Box = tuple[int, int, int, int]  # left, top, right, bottom


class Face(NamedTuple):
    """In pixels of the picture."""

    left: float
    top: float
    width: float
    height: float


def find_faces(picture: np.ndarray, cascade: Cascade, least: int | None = None) -> list[Face]:
    """The faces of a picture, (height, width, 3) uint8 RGB, from left to right.

    None smaller than `least` pixels is looked for, nor than the cascade's window.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    least = least or max(LEAST, round(min(width, height) * SHARE))
    window = cascade.window_height, cascade.window_width
    scale = min(1.0, FINENESS * min(window) / least)
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    found = cascade.detect_multi_scale(
        # Around zero: scikit-image sums up all pixels in float32.
        grey.astype(np.int64) - round(float(grey.mean())),
        scale_factor=GROWTH,
        step_ratio=STEP,
        min_size=tuple(side * least * scale / min(window) for side in window),
        max_size=grey.shape,
        min_neighbor_number=LEAST_HITS,
        intersection_score_threshold=MOST_COMMON,
    )
    keys = ("c", "r", "width", "height")
    return sorted(Face(*(each[key] / scale for key in keys)) for each in found)


def part_of(picture: Resolution, face: Face, margin: float, shape: Resolution) -> Box:
    """What to cut of a `picture`: the face with a margin, a share of its side, on each side.

    It has the proportions of `shape`. At an edge it is moved into the picture; where the picture
    is too small for it, it has less margin.
    """
    side = max(face.width, face.height) * (1 + 2 * margin)
    shorter = min(shape)
    wanted = side * shape.width / shorter, side * shape.height / shorter
    scale = min(1.0, picture.width / wanted[0], picture.height / wanted[1])
    width, height = (max(1, round(pixels * scale)) for pixels in wanted)
    left = round(face.left + face.width / 2 - width / 2)
    top = round(face.top + face.height / 2 - height / 2)
    left = min(max(0, left), picture.width - width)
    top = min(max(0, top), picture.height - height)
    return left, top, left + width, top + height

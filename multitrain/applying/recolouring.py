"""Colours that a network has shifted, put back: of broad areas alone, so that details stay. Pure.

Networks that were trained against a discriminator shift colours by a few levels from frame to
frame. What is made is compared with the picture that it was made of, both blurred, and what lies
between is taken off.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[Any]  # (n, height, width, channels), uint8 or uint16

BROAD = 8.0  # pixels of the picture: the deviation of the blur


def with_colours_of(pictures: Pictures, made: Pictures) -> Pictures:
    """What was made of these, some times as large, with their broad colours."""
    most = np.iinfo(made.dtype).max
    corrected = [_corrected(*each) for each in zip(pictures, made, strict=True)]
    return np.clip(np.round(np.stack(corrected)), 0, most).astype(made.dtype)


def _corrected(picture: NDArray[Any], made: NDArray[Any]) -> NDArray[np.float32]:
    height, width = picture.shape[:2]
    large = made.astype(np.float32)
    small = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)
    missing = cv2.GaussianBlur(picture.astype(np.float32) - small, (0, 0), BROAD)
    wide = cv2.resize(missing, made.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(large + wide, np.float32)

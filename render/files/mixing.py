"""Pictures laid over each other by their shares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from jobs.settings.colours import RGBA

Picture = NDArray[np.uint8]  # (height, width, 3 or 4)


def mixed(pictures: Sequence[Picture], weights: Sequence[float]) -> Picture:
    """The mean of `pictures` of one size by their `weights`, which add up to 1.

    Colours of RGBA count as much as their alpha: transparent pixels add no colour.
    """
    if len(pictures) == 1:
        return pictures[0]
    height, width, channels = pictures[0].shape
    total = np.zeros((height, width, channels), np.float32)
    for picture, weight in zip(pictures, weights, strict=True):
        shown = picture.astype(np.float32)
        if channels == RGBA:
            shown[..., :3] *= shown[..., 3:] / 255
        total += np.float32(weight) * shown
    if channels == RGBA:
        total[..., :3] *= 255 / np.maximum(total[..., 3:], 0.5)
    return np.clip(np.rint(total), 0, 255).astype(np.uint8)


def with_channels(picture: Picture, channels: int) -> Picture:
    """The picture with so many channels: where it lacks alpha, it becomes opaque."""
    if picture.shape[2] == channels:
        return picture
    opaque = np.full(picture.shape[:2], np.iinfo(picture.dtype).max, picture.dtype)
    return np.dstack([picture, opaque])

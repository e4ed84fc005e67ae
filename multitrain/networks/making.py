"""Inputs that are made of pictures, for networks that learn to make the pictures of them again.

Pictures are levels, `(n, height, width, 3 or 4)` float32 from 0 to 255; alpha stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from keras import ops

from jobs.settings.colours import RGB
from jobs.settings.translation import Making
from multitrain.networks.colours import LUMA_BLUE, LUMA_RED, WHITE
from multitrain.networks.resizing import Matrix, normalized, through

EDGE_BLUR = 1.0  # pixels, before brightness is compared: the grain of a photo makes no lines


def made(steps: Iterable[Making], pictures: Any) -> Any:
    """What these steps, one after the other, make of `pictures` of levels or uint8."""
    levels = ops.cast(pictures, "float32")
    colours, alpha = levels[..., :RGB], levels[..., RGB:]
    for step in steps:
        colours = _done(step, colours)
    return ops.concatenate([colours, alpha], axis=-1) if alpha.shape[-1] else colours


def _done(step: Making, colours: Any) -> Any:
    match step.name:
        case "grey":
            return ops.repeat(_luma(colours), RGB, axis=-1)
        case "blur":
            return blurred(colours, step["radius"])
        case "edges":
            return ops.repeat(_drawn(colours, step["strength"]), RGB, axis=-1)
        case "posterise":
            steps = step["levels"] - 1
            return ops.round(colours * (steps / WHITE)) * (WHITE / steps)
    return _downscaled(colours, step["factor"])


def _luma(colours: Any) -> Any:
    red, green, blue = (colours[..., channel : channel + 1] for channel in range(RGB))
    return green + LUMA_RED * (red - green) + LUMA_BLUE * (blue - green)


def blurred(colours: Any, radius: float) -> Any:
    """By a Gaussian of that deviation, in pixels. Of those beyond the edges nothing counts."""
    height, width = colours.shape[1:3]
    return through(colours, _gaussian(height, radius), _gaussian(width, radius))


def _drawn(colours: Any, strength: float) -> Any:
    """Lines, the darker the more brightness changes from a pixel to the next."""
    grey = blurred(_luma(colours), EDGE_BLUR)
    padded = ops.pad(grey, [(0, 0), (1, 1), (1, 1), (0, 0)], "symmetric")
    down = (padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]) / 2.0
    right = (padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]) / 2.0
    slope = ops.sqrt(ops.square(down) + ops.square(right))
    return WHITE - ops.minimum(strength * slope, WHITE)


def _downscaled(colours: Any, factor: int) -> Any:
    """As a picture so many times smaller would look, enlarged linearly to the size that it had."""
    height, width = colours.shape[1:3]
    return through(colours, _small_and_large(height, factor), _small_and_large(width, factor))


def _gaussian(side: int, radius: float) -> Matrix:
    places = np.arange(side)
    weights = np.exp(-(((places[:, None] - places) / radius) ** 2) / 2)
    return normalized(weights)


def _small_and_large(side: int, factor: int) -> Matrix:
    """Means of `factor` pixels, the last of perhaps fewer, and straight lines between these."""
    small = -(-side // factor)
    means = normalized(np.arange(side) // factor == np.arange(small)[:, None])
    places = np.clip((np.arange(side) + 0.5) / factor - 0.5, 0, small - 1)
    distances = np.abs(places[:, None] - np.arange(small))
    return normalized(np.maximum(0.0, 1.0 - distances) @ means)

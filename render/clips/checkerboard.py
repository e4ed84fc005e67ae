"""How strong the checkerboard of pictures is: the pattern of networks that enlarge unevenly. Pure.

A transposed convolution whose kernel covers some pixels more often than others, or gives them other
weights, draws the grid on which it works into its pictures: of 2 pixels in the last layer, of 4 in
the one before (Odena, Dumoulin and Olah 2016, "Deconvolution and Checkerboard Artifacts",
https://distill.pub/2016/deconv-checkerboard). In a spectrum, such grids are peaks at 1/4 and 1/2
cycles per pixel. Pictures without grids have no peaks there: their spectra are smooth.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

LEAST_SIDE = 24  # pixels: in fewer, the frequencies beside 1/4 are those of the whole picture
NEAREST, FARTHEST = 2, 4  # bins beside: the one between is what the window makes of a peak
ROUNDING = 1 / 12  # variance of whole levels about what they stand for: finer grids are not seen
BT709 = np.array([0.2126, 0.7152, 0.0722])

# Quarters of a cycle per pixel, down and across, of grids of 4 and 2 pixels. A pair and its
# opposite are the same wave.
GRIDS = ((0, 1), (0, 2), (1, 0), (2, 0), (1, 1), (1, 3), (1, 2), (2, 1), (2, 2))

Powers = NDArray[np.float64]  # (grids, bins): at the grid's frequency, then beside it, or NaN


def luma(pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(..., height, width) in levels, of pictures (..., height, width, 3 or more)."""
    brightness: NDArray[np.float64] = pictures[..., :3] @ BT709
    return brightness


def checkerboard(pictures: NDArray[np.float64]) -> float | None:
    """How much stronger these pictures are at the frequencies of grids than beside them, in dB.

    `pictures` are (n, height, width) in levels from 0 to 255: single samples, never a frame in
    which several stand side by side, whose borders are a grid themselves. Of photos and noise it is
    below 1 for some ten pictures or more, and about 2 for a single one, by chance. None where a
    side has fewer than `LEAST_SIDE` pixels.
    """
    if not len(pictures) or min(pictures.shape[1:]) < LEAST_SIDE:
        return None
    return in_decibels(np.sum([grid_powers(picture) for picture in pictures], axis=0))


def in_decibels(powers: Powers) -> float:
    """The mean over all grids of how much stronger each is than what is beside it.

    `powers` are those of one picture, or sums over many, whatever their sizes. What is beside
    counts by its logarithm, so that a spectrum that falls is about what it is in the middle. A grid
    that is weaker than what is beside counts as 0: what is enlarged to squares has nulls at some
    frequencies, which must not make up for peaks at others.
    """
    levels = 10 * np.log10(powers)
    beside = np.nanmean(levels[:, 1:], axis=1)
    return float(np.mean(np.maximum(0, levels[:, 0] - beside)))


def grid_powers(picture: NDArray[np.float64]) -> Powers:
    """What `in_decibels` takes, of one picture, (height, width), of at least 24 pixels a side."""
    height, width = (side // 4 * 4 for side in picture.shape)
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    whole = picture[top : top + height, left : left + width]
    window = np.outer(_window(height), _window(width))
    flat = whole - (window * whole).sum() / window.sum()
    spectrum = np.abs(np.fft.fft2(window * flat)) ** 2 + ROUNDING * (window**2).sum()
    rows = (_DOWN[:, None] * height // 4 + _BELOW) % height
    columns = (_ACROSS[:, None] * width // 4 + _RIGHT) % width
    return np.where(_COUNTS, spectrum[rows, columns], np.nan)


_REACH = range(-FARTHEST, FARTHEST + 1)
_BESIDE = [each for each in product(_REACH, _REACH) if max(map(abs, each)) >= NEAREST]
_DOWN, _ACROSS = np.array(GRIDS).T
_BELOW, _RIGHT = np.array([(0, 0), *_BESIDE]).T
# Along an axis, all that stands upright or lies level makes a ridge of its own.
_COUNTS = ((_DOWN[:, None] > 0) | (_BELOW == 0)) & ((_ACROSS[:, None] > 0) | (_RIGHT == 0))


def _window(side: int) -> NDArray[np.float64]:
    """Hann's: a wave of whole bins leaks into the next bin on either side, and no further."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(side) / side)

"""When the picture of a training has settled: the grey and the noise are over. Pure.

Films of trainings begin in one flat colour, or in noise. Fine noise is flat when seen from afar;
coarse noise, of networks that enlarge by `upconv` or have trained for some steps before the film
begins, is not, but shows in how much of the contrast is fine. From there, contrast and colours
grow, overshoot, and then vary about a level. That level, and how much they vary about it, is
measured in the later half of the film.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

LEAST = 16  # pictures; in fewer there is no half to compare with
MEDIAN_SHARE = 20  # a running median over a twentieth of the film: passing flickers do not count
FLAT_SHARE = 0.25  # of the later contrast: with less at its beginning, a film begins flat
LEAST_CONTRAST = 4.0  # levels; where later pictures have less, all of the film is flat
BLACK, WHITE = 16.0, 239.0  # films that begin beyond these are faded in: no network begins so
DEVIATIONS = 3.0  # of the later half: a settled picture lies within so many of its median
LEAST_LEVELS = 12.0  # that a mean colour may always be away, however little it varies later
LEAST_SHARE = 0.25  # of the later contrast that a contrast may always be away
LEAST_DISTANCE = 0.3  # of the first picture's distance to the later ones that is always allowed
FINE = 8  # pixels: of networks' noise, most is finer, and of their later pictures, little
GRAINIER = 1.3  # times as much of the contrast is fine as later, where a film begins in noise
NORMAL = 1.4826  # standard deviations in a median absolute deviation, where values are normal


def settled(pictures: NDArray[np.uint8], *, in_noise: bool = False) -> int:
    """The number of the first of these pictures from which on the film looks as it goes on to.

    `pictures`, (n, height, width, 3 or 4) uint8, are small ones, evenly spaced over a film, which
    begins `in_noise` or not. At most n // 2; 0 for films that do not begin as trainings do.
    """
    half = len(pictures) // 2
    if len(pictures) < LEAST or not _begins_as_trainings(pictures, half, in_noise=in_noise):
        return 0
    colours, contrasts, distances = (
        _running_median(each(pictures)) for each in (_colours, _contrasts, _distances)
    )
    is_away = (
        _is_away(colours, LEAST_LEVELS)
        | _is_away(contrasts, LEAST_SHARE * np.median(contrasts[half:], axis=0))
        | _is_away(distances, LEAST_DISTANCE * distances[0])
    )
    return int(np.flatnonzero(is_away[:half]).max(initial=-1)) + 1


def begins_in_noise(first: Iterable[NDArray[np.uint8]], later: Iterable[NDArray[np.uint8]]) -> bool:
    """Whether the first pictures of a film, at their full size, are noise beside later ones."""
    ours, theirs = (float(np.median([*map(_grain, each)])) for each in (first, later))
    return ours > GRAINIER * theirs


def _grain(picture: NDArray[np.uint8]) -> float:
    """The share of a picture's contrast, as variance, that is finer than `FINE` pixels."""
    height, width = (side // FINE * FINE for side in picture.shape[:2])
    green = picture[:height, :width, 1].astype(np.float32)
    blocks = green.reshape(height // FINE, FINE, width // FINE, FINE).mean(axis=(1, 3))
    return float(1 - blocks.var() / green.var()) if green.any() and green.var() else 0.0


def _begins_as_trainings(pictures: NDArray[np.uint8], half: int, *, in_noise: bool) -> bool:
    first, later = pictures[:1, ..., :3], pictures[half:, ..., :3]
    contrast = float(np.median(later.std(axis=(1, 2)).mean(axis=1)))
    is_flat = first.std(axis=(1, 2)).mean() < FLAT_SHARE * contrast
    return contrast > LEAST_CONTRAST and (is_flat or in_noise) and BLACK < first.mean() < WHITE


def _is_away(values: NDArray[np.float64], least: NDArray[np.float64] | float) -> NDArray[np.bool_]:
    """(n,): of which pictures one of the `values`, (n, kinds), is not as in the later half."""
    later = values[len(values) // 2 :]
    median = np.median(later, axis=0)
    spread = NORMAL * np.median(np.abs(later - median), axis=0)
    apart, most = np.abs(values - median), np.maximum(DEVIATIONS * spread, least)
    is_away: NDArray[np.bool_] = np.any(apart > most, axis=1)
    return is_away


def _running_median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Medians over a window around each value; at the ends, over the part of it that exists."""
    reach = len(values) // MEDIAN_SHARE // 2
    return np.stack(
        [np.median(values[max(0, n - reach) : n + reach + 1], axis=0) for n in range(len(values))]
    )


def _colours(pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(n, 3): mean brightness, and by how much red and blue are above green, in levels."""
    red, green, blue = np.moveaxis(pictures[..., :3].mean(axis=(1, 2)), -1, 0)
    return np.stack([(red + green + blue) / 3, red - green, blue - green], axis=1)


def _contrasts(pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(n, 4): deviations of brightness and of colour within a picture; edges, fine and coarse."""
    values = pictures[..., :3].astype(np.float64)
    brightness, green = values.mean(axis=3), values[..., 1:2]
    colour = (values[..., ::2] - green).std(axis=(1, 2)).mean(axis=1)
    edges = [_edges(brightness), _edges(_halved(brightness))]
    return np.stack([brightness.std(axis=(1, 2)), colour, *edges], axis=1)


def _distances(pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(n, 1): mean difference of the pixels from what each is in the later half, in the median."""
    values = pictures[..., :3].reshape(len(pictures), -1).astype(np.float64)
    later = np.median(values[len(values) // 2 :], axis=0)
    distances: NDArray[np.float64] = np.abs(values - later).mean(axis=1, keepdims=True)
    return distances


def _halved(pictures: NDArray[np.float64]) -> NDArray[np.float64]:
    """The pictures at half their size, by the mean of four; an odd row or column is left out."""
    height, width = (side // 2 * 2 for side in pictures.shape[1:])
    even = pictures[:, :height, :width]
    fours = even.reshape(len(even), height // 2, 2, width // 2, 2)
    halved: NDArray[np.float64] = fours.mean(axis=(2, 4))
    return halved


def _edges(pictures: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean difference of pixels that are side by side, or one above the other."""
    down, across = (np.abs(np.diff(pictures, axis=axis)).mean(axis=(1, 2)) for axis in (1, 2))
    edges: NDArray[np.float64] = (down + across) / 2
    return edges

"""Where a song becomes another: verse, chorus, break, drop. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from multitrain.hearing.onsets import Times
from multitrain.hearing.spectrum import HOPS, Floats

BEATS = 16  # that are compared with as many behind them; no section has fewer
LEAST = 0.06  # of novelty, which is 0 between alike beats, and 1 where they have nothing in common
SHARE = 0.1  # of the greatest novelty of the song, that another one must have


def sections_of(beats: Times, bands: Floats) -> Times:
    """The beats at which a section begins that sounds other than the one before; the first one is
    not among them.

    Novelty as of Foote 2000 ("Automatic audio segmentation using a measure of audio novelty"): how
    alike beats are on either side of a moment, less how alike they are across it. Of vectors of
    length 1 that is the square of the distance between both sides' means.
    """
    heard = _of_beats(beats, bands)
    if len(heard) < 2 * BEATS:
        return np.zeros(0)
    sums = np.concatenate([np.zeros((1, heard.shape[1])), np.cumsum(heard, axis=0)])
    means = (sums[BEATS:] - sums[:-BEATS]) / BEATS
    novelty = np.square(means[BEATS:] - means[:-BEATS]).sum(axis=1) / 4  # at BEATS, BEATS + 1 …
    least = max(LEAST, SHARE * float(novelty.max()))
    around = np.pad(novelty, BEATS // 2, constant_values=-1)
    largest = np.lib.stride_tricks.sliding_window_view(around, BEATS // 2 * 2 + 1).max(axis=1)
    starts: list[int] = []
    for place in np.flatnonzero((novelty == largest) & (novelty >= least)):
        if not starts or place - starts[-1] >= BEATS:
            starts.append(int(place))
        elif novelty[place] > novelty[starts[-1]]:
            starts[-1] = int(place)
    return beats[np.array(starts, np.int64) + BEATS]


def _of_beats(beats: Times, bands: Floats) -> NDArray[np.float64]:
    """How each beat but the last sounds: `(beats - 1, bands)`, vectors of length 1 or 0."""
    edges = np.clip(np.round(beats * HOPS).astype(int), 0, len(bands) - 1)
    if len(edges) < 2:
        return np.zeros((0, bands.shape[1]))
    sums = np.add.reduceat(bands, edges[:-1], axis=0, dtype=np.float64)
    sums[-1] = bands[edges[-2] : edges[-1] + 1].sum(axis=0)
    means = sums / np.maximum(np.diff(edges), 1)[:, np.newaxis]
    means -= means.mean(axis=0)
    means /= np.maximum(means.std(axis=0), 0.05 * means.std() + 1e-9)
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    alike: NDArray[np.float64] = means / np.maximum(lengths, 1e-9)
    return alike

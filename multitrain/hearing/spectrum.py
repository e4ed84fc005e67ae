"""Sound as a listener hears it, hop by hop: what begins, how loud it is, in which bands. Pure.

A hop is `HOP` samples of `RATE` a second, 5.8 ms: a third of a frame at 60 fps.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

RATE = 22_050  # samples per second
HOP = 128  # samples
WINDOW = 1024  # samples, 46 ms: tells tones apart, and its slopes find onsets
HOPS = RATE / HOP  # per second

LOWEST, HIGHEST, PER_OCTAVE = 30.0, 10_000.0, 6  # of the bands in which sounds begin, in Hz
SPLITS = (200.0, 2500.0)  # Hz, between bass and mids, and between these and highs
CONTRAST = 1000.0  # times a full scale's magnitude, before the logarithm
LAG = 2  # hops that a rise is looked for in
BLOCK = 4096  # windows that are transformed at once: memory stays the same for any length
QUIETEST = 1e-10  # a power; -100 dB of full scale, which is silence


class Spectrum(NamedTuple):
    """All per hop; that of number k is about the moment `k / HOPS` seconds."""

    flux: Floats  # (n,): how much louder bands become, summed: spectral flux
    deep_flux: Floats  # (n,): that of bass alone
    bands: Floats  # (n, m): loudness of narrow bands, as logarithms
    power: Floats  # (n, 3): mean squares of bass, mids and highs


def spectrum_of(samples: Floats) -> Spectrum:
    """Of one channel, `(samples,)` in -1..1.

    The flux is that of Böck and Widmer 2013 ("Maximum filter vibrato suppression for onset
    detection"): a band has risen where it is louder than its neighbours were, too, so a tone that
    wavers begins only once.
    """
    half = WINDOW // 2
    padded = np.concatenate([np.zeros(half, np.float32), samples, np.zeros(WINDOW, np.float32)])
    count = len(samples) // HOP + 1
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:count]
    bands, power = [], []
    for first in range(0, count, BLOCK):
        magnitudes = np.abs(np.fft.rfft(windows[first : first + BLOCK] * _hann(), axis=1))
        bands.append(np.log1p(CONTRAST * (magnitudes @ _narrow_bands())))
        power.append(np.square(magnitudes) @ _three_bands())
    narrow = np.concatenate(bands)
    rise = _rise(narrow)
    deep = rise[:, : np.searchsorted(_centres(), SPLITS[0])]
    return Spectrum(rise.sum(axis=1), deep.sum(axis=1), narrow, np.concatenate(power))


def loudness_of(power: Floats) -> Floats:
    """Powers as decibels of full scale, at least -100."""
    decibels: Floats = 10 * np.log10(np.maximum(power, QUIETEST))
    return decibels


def _rise(bands: Floats) -> Floats:
    around = bands.copy()  # the loudest of each band and its two neighbours
    around[:, 1:] = np.maximum(around[:, 1:], bands[:, :-1])
    around[:, :-1] = np.maximum(around[:, :-1], bands[:, 1:])
    before = np.concatenate([np.zeros((LAG, bands.shape[1]), np.float32), around[:-LAG]])
    rise: Floats = np.maximum(bands - before[: len(bands)], 0)
    return rise


@cache
def _hann() -> Floats:
    """A window whose squares add up to 1: then powers do not depend on its length."""
    window = np.hanning(WINDOW + 1)[:-1]
    hann: Floats = (window / np.sqrt(np.sum(window**2))).astype(np.float32)
    return hann


@cache
def _frequencies() -> NDArray[np.float64]:
    return np.fft.rfftfreq(WINDOW, 1 / RATE).astype(np.float64)


@cache
def _centres() -> NDArray[np.float64]:
    """Of the narrow bands, in Hz: even in pitch, but no nearer than the transform resolves."""
    octaves = np.log2(HIGHEST / LOWEST)
    pitches = LOWEST * 2 ** (np.arange(octaves * PER_OCTAVE + 1) / PER_OCTAVE)
    centres: NDArray[np.float64] = np.unique(np.round(pitches * WINDOW / RATE)) * RATE / WINDOW
    return centres


@cache
def _narrow_bands() -> Floats:
    """Triangles from one centre to the next: `(frequencies, bands)`, means of each."""
    places = _centres() * WINDOW / RATE
    edges = np.concatenate([[places[0] - 1], places, [places[-1] * 2 ** (1 / PER_OCTAVE)]])
    number = np.arange(WINDOW // 2 + 1)[:, np.newaxis]
    rising = (number - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - number) / (edges[2:] - edges[1:-1])
    triangles = np.clip(np.minimum(rising, falling), 0, None)
    means: Floats = (triangles / triangles.sum(axis=0)).astype(np.float32)
    return means


@cache
def _three_bands() -> Floats:
    """Which frequencies are bass, mids, highs: `(frequencies, 3)`, so that powers add up."""
    which = np.searchsorted(SPLITS, _frequencies())
    both_halves = np.where((_frequencies() > 0) & (_frequencies() < RATE / 2), 2.0, 1.0)
    shares = (which[:, np.newaxis] == np.arange(3)) * both_halves[:, np.newaxis] / WINDOW
    single: Floats = shares.astype(np.float32)
    return single

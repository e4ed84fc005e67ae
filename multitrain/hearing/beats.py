"""The beat of a song: its tempo, which may change, and the moments that a foot taps. Pure.

The tempo is found in stretches of seconds, by how alike a stretch is to itself some beats later;
of all stretches together, so that it does not jump to and fro. Beats follow it and fall where much
begins (Ellis 2007, "Beat tracking by dynamic programming").
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jobs.settings.songs import TempoRange
from multitrain.hearing.onsets import LATE, Times
from multitrain.hearing.spectrum import HOPS, Floats

Values = NDArray[np.float64]

ANY_TEMPO = TempoRange(50, 210)  # beats per minute
USUAL = 120.0  # of two tempi that fit as well, the one nearer to this is meant
OCTAVES = 1.0  # from there, at which a tempo is 0.6 times as likely
GIVEN_OCTAVES = 0.02  # the same of a tempo that is given
GIVEN = 1.04  # times a tempo that is given, at most, and a part of it, at least

STEP = 0.005  # from a tempo that is tried to the next, as a share
STRETCH, HOP_SECONDS = 12.0, 1.0  # seconds that are compared; from one stretch to the next
WEIGHT = 6.0  # of likeness, beside what is likely
MULTIPLES = 4  # beats until which a stretch is compared with itself
CHANGE = 30.0  # what it costs to change the tempo, per octave of the change

SMOOTH = 0.010  # seconds: the deviation of a bell that blurs onsets, which nobody plays exactly
EVEN = 400.0  # what uneven beats cost, by the square of the logarithm of their distance
SNAP = 0.025  # seconds from a beat within which an onset is meant
TOGETHER = 16  # beats whose tempo is the mean of theirs


def beats_of(flux: Floats, onsets: Times, tempi: TempoRange, usual: float, octaves: float) -> Times:
    """The moments of the beats, evenly on where nothing is heard, from the beginning to the end.

    `tempi` are possible; those `octaves` from the `usual` one are less likely.
    """
    clear = _clear(flux)
    periods = _periods(clear, tempi, usual, octaves)
    return _snapped(_tracked(clear, periods) / HOPS + LATE, onsets)


def tempo_at(beats: Times) -> Values:
    """Beats per minute at each beat, of those around it together."""
    count = len(beats)
    if count < 2:
        return np.full(count, USUAL)
    number = np.arange(count)
    width = min(TOGETHER, count - 1)
    first = np.clip(number - width // 2, 0, count - 1 - width)
    return 60 * width / (beats[first + width] - beats[first])


def _clear(flux: Floats) -> Values:
    """The flux above its surroundings, blurred, of deviation 1; zeros where there is none."""
    around = _blurred(flux.astype(np.float64), 0.5 * HOPS)
    above = _blurred(np.maximum(flux - around, 0), SMOOTH * HOPS)
    return above / (above.std() or 1.0)


def _blurred(values: Values, deviation: float) -> Values:
    reach = int(3 * deviation)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    padded = np.pad(values, reach, mode="reflect" if len(values) > reach else "edge")
    size = 1 << (len(padded) + len(bell)).bit_length()
    spectra = np.fft.rfft(padded, size) * np.fft.rfft(bell / bell.sum(), size)
    blurred: Values = np.fft.irfft(spectra, size)[2 * reach : 2 * reach + len(values)]
    return blurred


def _periods(clear: Values, tempi: TempoRange, usual: float, octaves: float) -> Values:
    """Hops from a beat to the next at each hop."""
    count = max(2, 1 + int(np.log(tempi.most / tempi.least) / STEP))
    tried = np.geomspace(tempi.least, tempi.most, count)
    likely = -0.5 * (np.log2(tried / usual) / octaves) ** 2
    fits = _fits(clear, HOPS * 60 / tried)
    way = _steadiest(fits + likely, CHANGE * np.abs(np.subtract.outer(*[np.log2(tried)] * 2)))
    middles = (np.arange(len(way)) * HOP_SECONDS) * HOPS
    smooth: Values = np.interp(np.arange(len(clear)), middles, HOPS * 60 / tried[way])
    return smooth


def _fits(clear: Values, periods: Values) -> Values:
    """How well each period fits around each second: `(stretches, periods)`.

    By how alike a stretch is to itself one to four beats later.
    """
    width = round(STRETCH * HOPS)
    padded = np.pad(clear, (width // 2, width))
    starts = np.arange(0, len(clear), HOP_SECONDS * HOPS).round().astype(int)
    size = 1 << (2 * width).bit_length()
    beats = np.arange(1, MULTIPLES + 1)
    fits = np.empty((len(starts), len(periods)))
    for place, start in enumerate(starts):
        part = padded[start : start + width]
        part = part - part.mean()
        alike = np.fft.irfft(np.abs(np.fft.rfft(part, size)) ** 2, size)[:width]
        alike /= np.linspace(1, 0, width, endpoint=False) * (alike[0] or 1.0)
        lags = np.arange(width)
        fits[place] = np.interp(np.outer(beats, periods), lags, alike).mean(axis=0)
    return WEIGHT * fits


def _steadiest(fits: Values, changes: Values) -> NDArray[np.int64]:
    """The best way through `fits`, `(steps, choices)`, less what `changes` cost (Viterbi 1967)."""
    came_from = np.zeros(fits.shape, np.int64)
    total = fits[0]
    for step in range(1, len(fits)):
        ways = total[:, np.newaxis] - changes
        came_from[step] = ways.argmax(axis=0)
        total = ways.max(axis=0) + fits[step]
    way = np.empty(len(fits), np.int64)
    way[-1] = total.argmax()
    for step in range(len(fits) - 1, 0, -1):
        way[step - 1] = came_from[step, way[step]]
    return way


def _tracked(clear: Values, periods: Values) -> Values:
    """Hops at which beats are: the sum of `clear` there, less what uneven distances cost, is
    largest.
    """
    count, reach = len(clear), int(2 * periods.max()) + 1
    best = np.zeros(count + reach)  # behind as many hops of silence: beats begin anywhere
    came_from = np.full(count, -1)
    lags = np.arange(1, reach + 1)
    logs = np.log(lags)
    for hop in range(count):
        period = periods[hop]
        first, last = int(period / 2), int(2 * period)
        costs = EVEN * (logs[first:last] - np.log(period)) ** 2
        earlier = best[hop + reach - last : hop + reach - first][::-1] - costs
        place = int(earlier.argmax())
        best[hop + reach] = clear[hop] + earlier[place]
        came_from[hop] = hop - lags[first + place]
    return _back_from_end(best[reach:], came_from, periods)


def _back_from_end(best: Values, came_from: NDArray[np.int64], periods: Values) -> Values:
    last = len(best) - 1 - int(periods[-1])
    hop = max(last, 0) + int(best[max(last, 0) :].argmax())
    found = []
    while hop >= 0:
        found.append(hop)
        hop = int(came_from[hop])
    return np.array(found[::-1], np.float64)


def _snapped(beats: Times, onsets: Times) -> Times:
    """Beats that an onset is near to, at that."""
    if not len(onsets):
        return beats
    place = np.clip(np.searchsorted(onsets, beats), 1, max(len(onsets) - 1, 1))
    left, right = onsets[place - 1], onsets[np.minimum(place, len(onsets) - 1)]
    nearest = np.where(beats - left < right - beats, left, right)
    snapped: Times = np.where(np.abs(nearest - beats) <= SNAP, nearest, beats)
    return snapped

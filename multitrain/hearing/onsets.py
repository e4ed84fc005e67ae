"""Where sounds begin: peaks of the flux, each moved to where the sound itself rises. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from multitrain.hearing.spectrum import HOP, HOPS, RATE, Floats

Times = NDArray[np.float64]  # in seconds

APART = 0.03  # seconds between two onsets; nearer ones are one for ears, too
AROUND = 0.1  # seconds on either side whose mean flux a peak has to exceed
SHARE = 0.06  # of a strong peak, by which it has to
STRONG = 4.0  # seconds of which there is a strong peak in most
DEVIATIONS = 5.5  # of the flux of noise, by which a peak has to exceed the mean as well

LATE = 0.010  # seconds from a peak of the flux to its onset: the window sees it before its middle
REACH = 0.014  # seconds on either side that the rise is looked for in
BEFORE, AFTER = 0.010, 0.004  # seconds that are compared
CLEAR = 2.0  # times as much power behind it as before: else the peak of the flux is nearer
FAINT = 1e-9  # power of silence


def onsets_of(samples: Floats, flux: Floats) -> Times:
    """Moments at which something begins, in their order."""
    peaks = _peaks(flux)
    if not len(peaks):
        return np.zeros(0)
    steeper = np.diff(samples, prepend=np.float32(0))  # beginnings are bright
    power = np.concatenate([[0.0], np.cumsum(np.square(steeper, dtype=np.float64))])
    found = np.array([_rise(power, peak / HOPS + LATE) for peak in peaks])
    return np.maximum.accumulate(found)


def _peaks(flux: Floats) -> NDArray[np.int64]:
    """Numbers of hops. Of two that are too near, the stronger one is kept."""
    width = round(AROUND * HOPS)
    total = np.concatenate([[0.0], np.cumsum(flux, dtype=np.float64)])
    number = np.arange(len(flux))
    first, last = np.maximum(number - width, 0), np.minimum(number + width + 1, len(flux))
    mean = (total[last] - total[first]) / (last - first)
    is_peak = flux >= _largest_around(flux, round(APART * HOPS))
    is_peak &= flux > mean + _floor(flux)
    peaks = np.flatnonzero(is_peak)
    apart = np.diff(peaks, prepend=-len(flux)) > APART * HOPS
    return peaks[apart]


def _floor(flux: Floats) -> float:
    """By how much a peak must exceed the mean around it."""
    strong = [
        float(part.max()) for part in np.array_split(flux, 1 + int(len(flux) / HOPS / STRONG))
    ]
    middle = np.median(flux)
    deviation = 1.4826 * float(np.median(np.abs(flux - middle)))  # of normal values, the same
    return max(SHARE * float(np.median(strong)), DEVIATIONS * deviation)


def _largest_around(values: Floats, width: int) -> Floats:
    """The largest of each and `width` neighbours on either side."""
    padded = np.pad(values, width, constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * width + 1)
    largest: Floats = windows.max(axis=1)
    return largest


def _rise(power: NDArray[np.float64], about: float) -> float:
    """Where the power of the sound rises most, near a moment; `power` is summed up."""
    before, after = round(BEFORE * RATE), round(AFTER * RATE)
    step = HOP // 16
    places = np.arange(round((about - REACH) * RATE), round((about + REACH) * RATE), step)
    places = places[(places >= 0) & (places + after < len(power))]
    if not len(places):
        return about
    start = np.maximum(places - before, 0)
    earlier = (power[places] - power[start]) / before + FAINT
    later = (power[places + after] - power[places]) / after + FAINT
    best = int(np.argmax(later / earlier))
    return float(places[best] / RATE) if later[best] > CLEAR * earlier[best] else about

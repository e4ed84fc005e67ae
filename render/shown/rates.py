"""Frames that come at uneven times, shown at a constant rate: which one is seen when. Pure.

Times are whole numbers of ticks of a file's clock, in order; `frame` is how many of them a frame
lasts at the rate in question.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from statistics import median

WHOLE_RATES = (24, 25, 30, 48, 50, 60, 100, 120, 240)
SLOWED = Fraction(1000, 1001)  # times a whole rate gives the American ones: 29.97, 59.94
USUAL = tuple(sorted({*map(Fraction, WHOLE_RATES), *(each * SLOWED for each in WHOLE_RATES)}))
ALIKE = Fraction(1, 100)  # of a rate: how far a usual one may lie from what was measured
LARGEST = 1 << 20  # numerator of a rate: files cannot have finer clocks


def even_rate(times: Sequence[int], tick: Fraction, stated: Iterable[Fraction]) -> Fraction | None:
    """Frames per second at which all frames come about on time; None for uneven times.

    `stated` are the rates that the file states; `tick` is in seconds.
    """
    rates = [rate for rate in (*stated, usual_rate(times, tick)) if 0 < rate.numerator <= LARGEST]
    return next((rate for rate in rates if is_even(times, 1 / (rate * tick))), None)


def is_even(times: Sequence[int], frame: Fraction) -> bool:
    """Whether no time is off by more than half a frame: some containers round to milliseconds."""
    first, (length, parts) = times[0], frame.as_integer_ratio()
    return all(
        2 * abs((time - first) * parts - number * length) <= length
        for number, time in enumerate(times)
    )


def usual_rate(times: Sequence[int], tick: Fraction) -> Fraction:
    """The rate by the most usual distance: a usual rate where one is near, else a whole number."""
    steps = [after - before for before, after in pairwise(times) if after > before]
    if not steps:
        return Fraction(25)
    middle = median(steps)
    near = [step for step in steps if 2 * abs(step - middle) < middle]
    measured = len(near) / (sum(near) * tick)
    nearest = min(USUAL, key=lambda rate: abs(rate - measured))
    if abs(nearest - measured) <= ALIKE * measured:
        return nearest
    return Fraction(max(1, round(measured)))


def held(times: Sequence[int], end: int, frame: Fraction) -> tuple[int, ...]:
    """For every `frame` from the first time on, the number of the picture that is seen then.

    Each picture stays until the next one, the last one until `end`; of pictures at the same moment
    the last one is seen.
    """
    places = [round((time - times[0]) / frame) for time in times]
    last = max(places[-1] + 1, round((end - times[0]) / frame))
    seen: list[int] = []
    for number, following in enumerate([*places[1:], last]):
        seen += [number] * (following - len(seen))
    return tuple(seen)

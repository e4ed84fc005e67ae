"""Where frames lie among those of a film, whatever the rates."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multitrain.applying.spacing import Place, Spacing


def spaced(seen: int, times: Fraction, *, closed: bool = False) -> Spacing:
    return Spacing.of(seen, times, 25 * times, closed=closed)


def test_twice_as_many_frames_lie_at_and_between_those_of_the_film() -> None:
    spacing = spaced(3, Fraction(2))
    half = Fraction(1, 2)
    places = [Place(0, Fraction(0)), Place(0, half), Place(1, Fraction(0)), Place(1, half)]
    last = Place(2, Fraction(0))
    assert [spacing.at(number) for number in range(6)] == [*places, last, last]
    closed = spaced(3, Fraction(2), closed=True)
    assert [closed.at(number) for number in range(6)] == [*places, last, Place(2, half)]
    assert list(closed.around(4, 6)) == [2, 3]
    assert list(spacing.around(4, 6)) == [2]


def test_of_two_frames_that_are_as_near_the_first_is_repeated() -> None:
    assert [Place(4, Fraction(n, 4)).nearest for n in (0, 1, 2, 3)] == [4, 4, 4, 5]


@pytest.mark.parametrize(
    ("fps", "wanted", "kept"), [(24, 60, 5), (25, 50, 2), (30, 60, 2), (25, 30, 6)]
)
def test_the_film_stays_where_the_rates_meet(fps: int, wanted: int, kept: int) -> None:
    spacing = spaced(50, Fraction(wanted, fps))
    own = [number for number in range(spacing.made - 10) if not spacing.at(number).share]
    assert own == list(range(0, spacing.made - 10, kept))
    assert (spacing.told is None) == (wanted % fps == 0)


@given(
    seen=st.integers(1, 40),
    times=st.fractions(Fraction(1, 5), 8, max_denominator=1001),
    closed=st.booleans(),
    block=st.integers(1, 30),
)
def test_all_lie_in_the_film_in_order_and_as_long(
    seen: int, times: Fraction, closed: bool, block: int
) -> None:
    spacing = spaced(seen, times, closed=closed)
    assert abs(spacing.made / spacing.fps - Fraction(seen, 25)) <= 1 / (2 * spacing.fps)
    places = [sum(spacing.at(number)) for number in range(spacing.made)]
    assert places == sorted(places)
    for first in range(0, spacing.made, block):
        stop = min(first + block, spacing.made)
        around = spacing.around(first, stop)
        own = [spacing.at(number) for number in range(first, stop)]
        assert around[0] == own[0].frame
        assert around[-1] == own[-1].frame + (own[-1].share > 0)
        assert around[-1] < seen + closed
        if stop - first == block:
            assert sum(place.share > 0 for place in own) <= spacing.most_between(block)
    if closed and spacing.made:
        assert seen - places[-1] == 1 / spacing.times, "the last step is as long as the others"

"""Which weights each frame is made with."""

from __future__ import annotations

import pytest

from multitrain.applying.course import Course, Mixture, mixed, through
from multitrain.weights.moments import Moments


def moments(*steps: int) -> Moments:
    return Moments(steps, lambda place: {"of": steps[place]})


def places(course: Course) -> list[float]:
    """In stages, and parts of the way between two of them."""
    return [sum(course.at(number)) for number in range(course.frames)]


def test_one_moment_is_that_of_all_frames() -> None:
    course = through(moments(7), 5, closed=False)
    assert course.is_still
    assert places(course) == [0.0] * 5


def test_through_time_goes_from_the_first_to_the_last_moment() -> None:
    course = through(moments(0, 10, 40), 5, closed=False)
    assert places(course) == pytest.approx([0, 1, 4 / 3, 5 / 3, 2])
    assert course.at(4) == (1, 1.0), "the last frame is made by the last weights alone"


def test_a_closed_course_comes_back() -> None:
    course = through(moments(0, 10), 8, closed=True)
    assert places(course) == pytest.approx(places(course)[:1] + places(course)[:0:-1])
    assert max(places(course)) == 1.0


def test_a_mixture_goes_from_share_to_share() -> None:
    course = mixed(moments(1), moments(2), Mixture(0.25, 0.75), 3, closed=False)
    assert places(course) == pytest.approx([0.25, 0.5, 0.75])
    assert [course.load(place)["of"] for place in (0, 1)] == [1, 2]


def test_one_frame_has_the_first_weights() -> None:
    assert places(through(moments(0, 10), 1, closed=False)) == [0.0]

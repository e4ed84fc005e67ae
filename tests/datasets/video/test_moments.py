from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import UsageError
from jobs.settings.kinds import Resolution
from jobs.videos.video import Video
from multitrain.datasets.video.moments import Moment, Span, between, evenly, every, share_out

VIDEO = Video(
    path=Path("a.mp4"), time_base=Fraction(1, 600), first=0, last=59_976,
    frame_seconds=Fraction(1, 25), size=Resolution(16, 9), pixel_shape=Fraction(1),
    progressive=True,
)  # fmt: skip


@given(st.lists(st.floats(0.04, 1e5), min_size=1, max_size=20), st.integers(0, 10_000))
def test_all_is_shared_out_and_nobody_is_a_whole_one_off(lengths, count):
    counts = share_out(lengths, count)
    assert sum(counts) == count
    for number, length in zip(counts, lengths, strict=True):
        assert abs(number - count * length / sum(lengths)) < 1 + 1e-6


@pytest.mark.parametrize(
    ("lengths", "count", "shares"),
    [
        ([5, 3, 1], 4, [2, 1, 1]),  # 2.22, 1.33 and 0.44
        ([1, 8], 6, [1, 5]),  # 0.67 and 5.33
        ([1, 1, 1], 2, [1, 1, 0]),
    ],
)
def test_the_rest_goes_to_the_largest_remainders(lengths, count, shares):
    assert share_out(lengths, count) == shares


def test_middles_of_equal_parts():
    assert evenly(Span(VIDEO, 10, 20), 4) == [11.25, 13.75, 16.25, 18.75]
    assert evenly(Span(VIDEO, 10, 20), 0) == []


def test_every_so_often_up_to_the_end():
    assert every(3, Span(VIDEO, 1, 2), 0.5) == [Moment(3, 1), Moment(3, 1.5)]


@pytest.mark.parametrize("count", [1, 2, 7])
def test_times_between_are_new_and_lie_between(count):
    spans = [Span(VIDEO, 0, 8), Span(VIDEO, 50, 66)]
    tried = {
        Moment(video, at)
        for video, number in enumerate(share_out([8, 16], count))
        for at in evenly(spans[video], number)
    }
    for fineness in (2, 4):
        others = between(spans, count, fineness)
        assert len(set(others)) == len(others)
        assert not {(v, round(at, 9)) for v, at in others} & {(v, round(at, 9)) for v, at in tried}
        assert all(spans[video].start <= at < spans[video].end for video, at in others)
        tried |= set(others)


def test_the_first_of_the_times_between_lie_all_over():
    first = sorted(at for _, at in between([Span(VIDEO, 0, 100)], 100, 2)[:10])
    gaps = [after - before for before, after in zip([0, *first], [*first, 100], strict=True)]
    assert max(gaps) < 20


def test_far_too_many_are_refused_at_once() -> None:
    with pytest.raises(UsageError, match="more than 1,000,000 pictures"):
        every(0, Span(VIDEO, 0, 3), 1e-7)

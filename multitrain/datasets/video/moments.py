"""At which times of which videos pictures are taken: pure arithmetic, in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from jobs.errors import UsageError
from jobs.videos.video import Video

MOST_MOMENTS = 1_000_000

GOLDEN_RATIO = (1 + 5**0.5) / 2  # its multiples fill the circle evenly, however many they are


class Moment(NamedTuple):
    """A time, in seconds from the first frame, of one of several videos."""

    video: int
    seconds: float


@dataclass(frozen=True)
class Span:
    """The part of a video to take pictures from, in seconds from its first frame."""

    video: Video
    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


def share_out(lengths: Sequence[float], count: int) -> list[int]:
    """`count` in proportion to `lengths`, by largest remainders; of equals the first has more."""
    total = sum(lengths)
    shares = [count * length / total for length in lengths]
    counts = [int(share) for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda place: counts[place] - shares[place])
    for place in by_remainder[: count - sum(counts)]:
        counts[place] += 1
    return counts


def evenly(span: Span, count: int) -> list[float]:
    """The middles of `count` equal parts: neither the first frame nor the last, often black."""
    part = span.seconds / count if count else 0.0
    return [span.start + (number + 0.5) * part for number in range(count)]


def every(video: int, span: Span, seconds: float) -> list[Moment]:
    """A moment every `seconds` from the start on, before the end; UsageError for too many."""
    if span.seconds > MOST_MOMENTS * seconds:
        raise UsageError(
            f"a frame of {span.video.path} every {seconds:g} seconds would make more than "
            f"{MOST_MOMENTS:,} pictures; take longer steps"
        )
    moments: list[Moment] = []
    while (at := span.start + len(moments) * seconds) < span.end:
        moments.append(Moment(video, at))
    return moments


def between(spans: Sequence[Span], count: int, fineness: int) -> list[Moment]:
    """Times between those of `evenly`, which part their distance into `fineness` parts.

    With 2 they lie in the middle; with 4, those that 2 did not have. In such an order that the
    first few lie all over the videos, too.
    """
    moments: list[Moment] = []
    counts = share_out([span.seconds for span in spans], count)
    for video, (span, number) in enumerate(zip(spans, counts, strict=True)):
        step = span.seconds / (number * fineness) if number else 0.0
        times = (span.start + (odd + fineness / 2) * step for odd in range(1, number * fineness, 2))
        moments += [Moment(video, at) for at in times if at < span.end]
    order = sorted(range(len(moments)), key=lambda place: place * GOLDEN_RATIO % 1)
    return [moments[place] for place in order]

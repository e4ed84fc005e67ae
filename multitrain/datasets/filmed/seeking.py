"""Which frames lie nearest to some times, and which of them are decoded in one go."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jobs.videos.opening import opened
from jobs.videos.seeking import from_keyframe
from jobs.videos.video import Video

if TYPE_CHECKING:
    from jobs.videos.seeking import Packets

REORDERED = 16  # frames that are stored before ones that are shown earlier: H.264 and HEVC, at most


@dataclass(frozen=True)
class Wanted:
    """A frame, by when it is shown, and the first and last of the neighbours it is needed with."""

    number: int  # of the time that it is nearest to
    pts: int
    first: int
    last: int


@dataclass(frozen=True)
class Run:
    """Frames to decode in one go, from the keyframe that is shown at `start` on."""

    start: int
    wanted: tuple[Wanted, ...]


@dataclass
class _Group:
    """Frames from one keyframe on, as far as their packets have been read."""

    start: int
    packets: Packets
    shown: list[int] = field(default_factory=list)  # in order
    wanted: list[Wanted] = field(default_factory=list)

    def read_beyond(self, pts: int, frames: int) -> None:
        """Read until at least `frames` frames shown after `pts` are known, or to the end."""
        while len(self.shown) - bisect_left(self.shown, pts + 1) < frames:
            packet = next(self.packets, None)
            if packet is None:
                return
            if packet.pts is not None and packet.size and not packet.is_discard:
                insort(self.shown, packet.pts)

    def nearest(self, number: int, pts: int, around: int) -> Wanted:
        """The frame nearest to `pts`, with up to `around` neighbours on each side."""
        place = bisect_left(self.shown, pts)
        if place and (place == len(self.shown) or self._before_is_nearer(place, pts)):
            place -= 1
        first = self.shown[max(0, place - around)]
        last = self.shown[min(len(self.shown) - 1, place + around)]
        return Wanted(number, self.shown[place], first, last)

    def _before_is_nearer(self, place: int, pts: int) -> bool:
        return pts - self.shown[place - 1] <= self.shown[place] - pts


def plan(video: Video, times: Mapping[int, float], around: int = 0) -> list[Run]:
    """The frames nearest to some times: `times` are seconds from the first frame, by their numbers.

    `around` neighbours on both sides are wanted with each. Only packets are read, not decoded, and
    those of a group of pictures once, however many times lie in it. For times beyond the last
    frame, that frame is taken. UnreadableVideo where the file cannot be read.
    """
    groups: list[_Group] = []
    with ExitStack() as files:
        looking = files.enter_context(opened(video.path))
        reading = files.enter_context(opened(video.path))
        lead = round(around * video.frame_seconds / video.time_base)
        for number, seconds in sorted(times.items(), key=lambda each: each[1]):
            pts = min(video.pts_at(seconds), video.last)
            ahead = from_keyframe(*looking, pts - lead, video.first, video.times)
            start = _start(ahead, video.first)
            if not groups or groups[-1].start != start:
                packets = from_keyframe(*reading, start, video.first, video.times)
                groups.append(_Group(start, packets))
            group = groups[-1]
            group.read_beyond(pts, REORDERED + around + 1)
            if group.shown:
                group.wanted.append(group.nearest(number, pts, around))
    return [Run(each.start, tuple(each.wanted)) for each in groups if each.wanted]


def _start(packets: Packets, first: int) -> int:
    packet = next(packets, None)
    return first if packet is None or packet.pts is None else packet.pts

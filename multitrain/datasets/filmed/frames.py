"""Frames of a video as pictures: decoded, mended, upright, in the colours of a screen."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from typing import NamedTuple, Self

import av
from av.video.frame import VideoFrame
from PIL import Image

from jobs.settings.kinds import Resolution
from jobs.videos.opening import decoder_of, opened, told_as_unreadable
from jobs.videos.orientation import seen_size
from jobs.videos.seeking import from_keyframe
from jobs.videos.video import Video
from multitrain.datasets.filmed.fields import Mending, mended
from multitrain.datasets.filmed.seeking import Run, Wanted
from render.shown.screen import Screen, over_black


class Still(NamedTuple):
    """A frame as RGB, upright, over black; `seen` is its size with square pixels, which it may not
    have.
    """

    image: Image.Image
    seen: Resolution


class FrameReader:
    """One opened file, for one thread at a time: close it."""

    def __init__(self, video: Video, mending: Mending) -> None:
        self.video, self._mending = video, mending
        self._screen = Screen(video.orientation)
        self._files = ExitStack()
        self._container, self._stream = self._files.enter_context(opened(video.path))
        self._decoder = decoder_of(self._stream)
        self._decoder.thread_count = 1  # others are at work on other parts of it

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._files.close()

    def stills(self, run: Run) -> Iterator[tuple[Wanted, Still | None]]:
        """Each wanted frame as a picture; None where it cannot be decoded."""
        for wanted, frames in self.windows(run):
            whole = [frame for frame in frames if not frame.is_corrupt]
            yield wanted, self._still(whole, wanted.pts) if whole else None

    def _still(self, frames: list[VideoFrame], pts: int) -> Still:
        time = float(pts * self.video.time_base)
        with told_as_unreadable(self.video.path):
            frame = mended(frames, time, self._mending, 1 / self.video.frame_seconds)
            stored = Resolution(frame.width, frame.height)
            seen = seen_size(stored, self.video.pixel_shape, self.video.orientation)
            return Still(Image.fromarray(over_black(self._screen.picture(frame))), seen)

    def windows(self, run: Run) -> Iterator[tuple[Wanted, list[VideoFrame]]]:
        """Each wanted frame and its neighbours, as far as there are any."""
        waiting = deque(sorted(run.wanted, key=lambda each: each.pts))
        collected: dict[int, list[VideoFrame]] = {each.number: [] for each in waiting}
        for frame in self._decoded(run):
            pts = frame.pts
            if pts is None:
                continue
            for wanted in waiting:
                if wanted.first > pts:
                    break
                if pts <= wanted.last:
                    collected[wanted.number].append(frame)
            while waiting and pts >= waiting[0].last:
                wanted = waiting.popleft()
                yield wanted, collected.pop(wanted.number)
            if not waiting:
                return
        for wanted in waiting:
            yield wanted, collected.pop(wanted.number)

    def _decoded(self, run: Run) -> Iterator[VideoFrame]:
        """Frames from the keyframe on; those that no other depends on only where they are wanted"""
        context, video = self._decoder, self.video
        with told_as_unreadable(video.path):
            packets = from_keyframe(
                self._container, self._stream, run.start, video.first, video.times
            )
            spans = sorted((each.first, each.last) for each in run.wanted)
            context.flush_buffers()
            for packet in chain(packets, [None]):
                is_wanted = packet is None or _is_wanted(packet.pts, spans)
                context.skip_frame = "DEFAULT" if is_wanted else "NONREF"
                try:
                    yield from context.decode(packet)
                except av.error.InvalidDataError:  # the next keyframe may be better
                    continue


def _is_wanted(pts: int | None, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether it lies in one of the spans, of which each ends at or behind the one before."""
    if pts is None:
        return True
    place = bisect_right(spans, pts, key=lambda span: span[0])
    return place > 0 and pts <= spans[place - 1][1]

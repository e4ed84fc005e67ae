"""Where the frames of a stream come from, each of which is needed for a while."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Protocol

from jobs.settings.colours import RGB
from jobs.settings.spec import JobSpec
from multitrain.codec.capture import Capture
from multitrain.codec.receiving import Picture
from multitrain.codec.recording import Recorder
from multitrain.engine.feeds import OpenFeed
from multitrain.engine.session import Frames, State

RING = "stream_ring"  # in checkpoints: the newest frames of a stream that is live

log = logging.getLogger(__name__)


class Source(Protocol):
    """The frames of a stream, by their numbers: the newest ones, of which a step learns, too."""

    def come(self, number: int) -> Picture:
        """Frame `number`, which comes now. NothingComes where it does not."""

    def at(self, number: int) -> Picture:
        """A frame that has come, one of the newest."""

    def state(self) -> State:
        """What a resume needs of them."""

    def restore(self, state: State) -> None:
        """Go on from there."""

    def close(self) -> None:
        """No more frames are wanted."""


class Video:
    """The frames of a video, `(n, height, width, 3 or 4)`, round and round."""

    def __init__(self, pictures: Frames) -> None:
        self._pictures = pictures

    def come(self, number: int) -> Picture:
        return self.at(number)

    def at(self, number: int) -> Picture:
        frame: Picture = self._pictures[number % len(self._pictures)][..., :RGB]
        return frame

    def state(self) -> State:
        return {}

    def restore(self, state: State) -> None:
        """Nothing to do: all are there."""

    def close(self) -> None:
        """Nothing to do."""


class Live:
    """Frames as they come, kept in a ring from which steps learn, and recorded."""

    def __init__(self, ring: Frames, capture: Capture, recorder: Recorder) -> None:
        self._ring, self._capture, self._recorder = ring, capture, recorder

    def come(self, number: int) -> Picture:
        frame = self._capture.take()
        self._ring[number % len(self._ring)] = frame
        self._recorder.write(frame)
        return frame

    def at(self, number: int) -> Picture:
        frame: Picture = self._ring[number % len(self._ring)].copy()
        return frame

    def state(self) -> State:
        log.info("%d frames came that nobody was ready for", self._capture.left_out)
        return {RING: self._ring.copy()}

    def restore(self, state: State) -> None:
        self._ring[:] = state[RING]

    def close(self) -> None:
        self._capture.close()
        self._recorder.close()


def source_of(spec: JobSpec, feed: OpenFeed, recorded: Path) -> Source:
    """The source of a job's stream; what comes live is recorded in a folder."""
    if not feed.feed.is_live:
        return Video(feed.pictures)
    (name,), steps = feed.feed.folders, spec.preprocessing.fixed
    recorder = Recorder(recorded, feed.size, spec.fps, spec.record_gb * 2**30)
    return Live(feed.pictures, Capture(name, steps), recorder)

"""Frames of videos as pictures of a data set, as if the video were a folder that holds them.

Each has a path of its own that no file has, `films/night.mp4/0000012.frame`: so frames have an
order, names by which pairs are found, and a folder that a clip does not leave.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from jobs.settings.kinds import Resolution

FRAME = ".frame"


class Filmed(NamedTuple):
    """How many frames a video has, and how large they are as they are seen."""

    frames: int
    size: Resolution


def look_at_video(path: Path) -> Filmed:
    """Read its header and all its packets, nothing is decoded but the first frame.

    Each video is read once in a process, unless it changes. UnreadableVideo, or OSError, says why
    that fails.
    """
    facts = path.stat()
    return _looked_at(path, (facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns))


@cache
def _looked_at(path: Path, _facts: tuple[int, ...]) -> Filmed:
    from jobs.videos.video import look, shown_times  # take a while

    video = look(path)
    return Filmed(len(shown_times(video)), video.size)


def frame_path(video: Path, number: int) -> Path:
    """The path of a frame; `number` counts from 0."""
    return video / f"{number:07}{FRAME}"


def video_of(path: Path) -> Path | None:
    """The video that this is a frame of; None for a picture with a file of its own."""
    return path.parent if path.suffix == FRAME else None


def number_of(frame: Path) -> int:
    """The inverse of `frame_path`."""
    return int(frame.stem)

"""The frames of a video, one after the other, as pictures of a data set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from jobs.pictures.filmed import number_of
from jobs.videos.opening import UnreadableVideo
from jobs.videos.video import look, shown_times
from multitrain.datasets.filmed.frames import FrameReader, Still
from multitrain.datasets.filmed.judging import suitable
from multitrain.datasets.filmed.seeking import Run, Wanted


class Undecoded(NamedTuple):
    """Why a frame is not there: one clause for a person."""

    reason: str


def stills_of(video: Path, frames: Sequence[Path]) -> Iterator[Still | Undecoded]:
    """Each of these frames of `video`: paths by `jobs.pictures.filmed`, in the order of showing.

    Interlaced and telecined video is mended as `dataset extract` does it.
    """
    left, reason = len(frames), "is not in the video any more"
    try:
        for still in _decoded(video, [number_of(each) for each in frames]):
            left -= 1
            yield still or Undecoded("cannot be decoded")
    except UnreadableVideo as error:
        reason = str(error)
    yield from repeat(Undecoded(reason), left)


def _decoded(path: Path, numbers: Sequence[int]) -> Iterator[Still | None]:
    video = look(path)
    times, mending = shown_times(video), suitable(video)
    last = len(times) - 1
    wanted = [
        Wanted(
            number,
            times[number],
            times[max(0, number - mending.around)],
            times[min(last, number + mending.around)],
        )
        for number in numbers
        if number <= last
    ]
    if wanted:
        with FrameReader(video, mending) as reader:
            for _, still in reader.stills(Run(wanted[0].first, tuple(wanted))):
                yield still


def square(still: Still) -> Image.Image:
    """The frame as it is seen, with square pixels."""
    if still.image.size == still.seen:
        return still.image
    return still.image.resize(still.seen, Image.Resampling.LANCZOS)

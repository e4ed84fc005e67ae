"""Pictures as a video codec leaves them: encoded one after another by ffmpeg, and decoded again.

Nothing of it is written to a disk, where the system has files in memory.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jobs.errors import MultitrainError
from jobs.settings.translation import Codec, Degradation
from jobs.settings.videos import FormatName
from render.encoding import ffmpeg
from render.encoding.formats import Quality
from render.encoding.streaming import RawVideo, encoding
from render.files.reading import FilmReader, frames_in_order

FPS = 25  # a keyframe for each second
FORMATS: Mapping[Codec, FormatName] = {"h264": "h264", "h265": "h265", "vp9": "webm"}

Uint8Array = NDArray[np.uint8]
Stretch = tuple[Path, int]  # a folder, and a number: another one where something is left out


def compressed(
    pictures: Iterable[tuple[Stretch, Uint8Array]], codec: Degradation
) -> Generator[Uint8Array, None, None]:
    """The pictures, `(height, width, 3)`, of each stretch as a video of its own keeps them.

    ProgramFailed where ffmpeg fails; MultitrainError where none here knows the codec.
    """
    for _, stretch in groupby(pictures, itemgetter(0)):
        yield from _as_video((picture for _, picture in stretch), codec)


def _as_video(pictures: Iterator[Uint8Array], codec: Degradation) -> Iterator[Uint8Array]:
    first = next(pictures)
    height, width, channels = first.shape
    raw = RawVideo(width, height, channels, FPS)
    name, quality = FORMATS[codec["codec"]], Quality(crf=codec["crf"])
    with ExitStack() as stack:
        video = stack.enter_context(ffmpeg.passing_file("video"))
        with encoding(video, raw, name, quality=quality) as sink:
            for picture in chain([first], pictures):
                sink.write(picture)
        reader = stack.enter_context(FilmReader([video]))
        if reader.frames != sink.frames:
            raise MultitrainError(f"{codec}: of {sink.frames} pictures, {reader.frames} came back")
        for frame in frames_in_order(reader):  # sides that it does not take were filled up
            yield np.ascontiguousarray(frame[:height, :width])

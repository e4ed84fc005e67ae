"""A song decoded, as players play it.

What encoders put before the first sample, and behind the last one, is left out, as far as the file
tells of it: MP3 (in the header of its first frame), AAC in MP4 (by an edit list), Vorbis and Opus.
So the first sample is that which was encoded first; ffmpeg begins there, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from jobs.errors import UsageError
from jobs.videos.sounds import opened_sound
from multitrain.hearing.spectrum import RATE, Floats

LONGEST = 3 * 3600  # seconds; a gigabyte of samples


def samples_of(song: Path) -> Floats:
    """All of a song as one channel: `(samples,)`, `RATE` a second, in about -1..1.

    UsageError where it cannot be decoded, or is too long.
    """
    parts, count = [], 0
    for part in _resampled(song):
        parts.append(part)
        count += len(part)
        if count > LONGEST * RATE:
            hours = LONGEST // 3600
            raise UsageError(f"{song} lasts more than {hours} hours; cut out what is to be heard")
    if not count:
        raise UsageError(f"{song} holds no sound that can be decoded")
    return np.nan_to_num(np.concatenate(parts))


def _resampled(song: Path) -> Iterator[Floats]:
    resampler = AudioResampler(format="fltp", layout="mono", rate=RATE)
    for frame in _decoded(song):
        yield from (each.to_ndarray()[0] for each in resampler.resample(frame))
    yield from (each.to_ndarray()[0] for each in resampler.resample(None))


def _decoded(song: Path) -> Iterator[AudioFrame | None]:
    """Frames one behind the other, whatever their times; packets that are damaged are left out, as
    ffmpeg does.
    """
    with opened_sound(song) as (container, stream):
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:
                continue
            for frame in frames:
                frame.pts = None  # the resampler would fill gaps
                yield frame

"""Files with sound: songs, also those of videos."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

from jobs.errors import UsageError
from jobs.videos.opening import open_file, reason_of


@contextmanager
def opened_sound(path: Path) -> Iterator[tuple[InputContainer, AudioStream]]:
    """An open file and its first track of sound. UsageError where none can be decoded."""
    with ExitStack() as files:
        with _told(path):
            container = open_file(path, files)
        streams = [each for each in container.streams.audio if each.codec_context]
        if not streams or streams[0] is not container.streams.audio[0]:
            raise UsageError(f"{path} holds no sound that can be decoded")
        with _told(path):
            yield container, streams[0]


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (av.error.FFmpegError, OSError) as error:
        raise UsageError(f"{path} {reason_of(path, error, 'song')}") from error


def about_seconds(path: Path) -> float | None:
    """How long the sound of a file lasts, as its header says: often some hundredths too much.

    None where it does not say. UsageError as of `opened_sound`.
    """
    with opened_sound(path) as (container, stream):
        if stream.duration and stream.time_base:
            return float(stream.duration * stream.time_base)
        return container.duration / av.time_base if container.duration else None

"""Video files read by PyAV: what they are, and whether every frame is there at its time."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from jobs.errors import MultitrainError

DECODER_THREADS = 4


@dataclass(frozen=True)
class Format:
    """What files must have in common to be joined without re-encoding."""

    codec: str
    pixels: str
    width: int
    height: int
    fps: Fraction
    time_base: Fraction

    def __str__(self) -> str:
        return (
            f"{self.codec} {self.pixels} {self.width}x{self.height}, {self.fps} fps, "
            f"time base {self.time_base}"
        )


@dataclass(frozen=True)
class Header:
    """What a file says of itself, unchecked."""

    format: Format
    frames: int


def read_header(path: Path) -> Header:
    """The file's format and number of frames; MultitrainError where it is no video."""
    try:
        with av.open(str(path)) as container:
            stream = _only_video(container, path)
            context = stream.codec_context
            form = Format(
                codec=context.name,
                pixels=str(context.pix_fmt),
                width=context.width,
                height=context.height,
                fps=_exact(stream.average_rate),
                time_base=_exact(stream.time_base),
            )
            return Header(form, stream.frames)
    except (av.error.FFmpegError, OSError) as error:
        raise MultitrainError(f"{path} cannot be read as a video: {error.strerror}") from error


def count_packets(path: Path) -> int:
    """Frames whose data is there, without decoding: finds a file that was cut off."""
    try:
        with av.open(str(path)) as container:
            stream = _only_video(container, path)
            return sum(
                packet.size > 0 and not packet.is_corrupt for packet in container.demux(stream)
            )
    except (av.error.FFmpegError, OSError) as error:
        raise MultitrainError(f"{path} is damaged: {error.strerror}") from error


def verify(path: Path, frames: int, fps: int, width: int, height: int) -> None:
    """Decode the whole file; MultitrainError unless it is a video of `width` x `height` pixels
    with exactly `frames` frames, number k at k / fps seconds.
    """
    try:
        with av.open(str(path)) as container:
            stream = _only_video(container, path)
            found = _decode_all(container, stream, path, fps)
            size = (stream.codec_context.width, stream.codec_context.height)
            duration = (stream.duration or 0) * _exact(stream.time_base)
    except (av.error.FFmpegError, OSError) as error:
        raise MultitrainError(f"{path} cannot be decoded: {error.strerror}") from error
    if found != frames:
        raise MultitrainError(f"{path} has {found} frames instead of {frames}")
    if size != (width, height):
        raise MultitrainError(f"{path} is {size[0]}x{size[1]} instead of {width}x{height}")
    if duration != Fraction(frames, fps):
        raise MultitrainError(f"{path} lasts {float(duration)} s, not {frames} frames at {fps} fps")


def _decode_all(container: InputContainer, stream: VideoStream, path: Path, fps: int) -> int:
    """The number of frames; MultitrainError at the first one that is damaged or out of time."""
    stream.codec_context.thread_count = DECODER_THREADS
    stream.thread_type = "AUTO"
    number = 0
    for frame in container.decode(stream):
        if frame.is_corrupt:  # painted over by the decoder, and counted like any other
            raise MultitrainError(f"{path}: frame {number} is damaged")
        if frame.pts is None or frame.pts * _exact(frame.time_base) != Fraction(number, fps):
            raise MultitrainError(f"{path}: frame {number} is not shown at {number}/{fps} s")
        number += 1
    return number


def _only_video(container: InputContainer, path: Path) -> VideoStream:
    if len(container.streams.video) != 1 or len(container.streams) != 1:
        raise MultitrainError(f"{path} does not hold exactly one video and nothing else")
    return container.streams.video[0]


def _exact(rate: Fraction | None) -> Fraction:
    """0 where it is unset; PyAV has a rational type of its own from 19 on."""
    return Fraction(rate.numerator, rate.denominator) if rate else Fraction(0)

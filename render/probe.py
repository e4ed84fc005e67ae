"""Video files read by PyAV: what they are, and whether every frame is there at its time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from jobs.errors import MultitrainError

DECODER_THREADS = 4
VP9_WITH_ALPHA = "libvpx-vp9"  # a decoder

# Opening a file decodes its first picture, which takes fifty times as long as all the rest. The
# options are for that alone: who decodes later gets every picture.
WITHOUT_DECODING: dict[str, Any] = {
    "options": {"probesize": "32", "analyzeduration": "1"},
    "stream_options": [{"skip_frame": "all"}],
}


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
    settings: bytes  # for the decoder; those of one encoder at work on one kind of video are alike


def read_header(path: Path, like: Header | None = None) -> Header:
    """The file's header; MultitrainError where it is no video.

    Much quicker where it is `like` that of another file: the layout of the pixels, which only
    decoding tells, is then the same.
    """
    try:
        with av.open(str(path), **(WITHOUT_DECODING if like else {})) as container:
            header = _header(only_video(container, path))
    except (av.error.FFmpegError, OSError) as error:
        raise MultitrainError(f"{path} cannot be read as a video: {error.strerror}") from error
    if not like:
        return header
    if header.settings != like.settings:
        return read_header(path)
    return replace(header, format=replace(header.format, pixels=like.format.pixels))


def _header(stream: VideoStream) -> Header:
    context = stream.codec_context
    form = Format(
        codec=context.name,
        pixels=str(context.pix_fmt),
        width=context.width,
        height=context.height,
        fps=exact(stream.average_rate),
        time_base=exact(stream.time_base),
    )
    return Header(form, stream.frames, settings_of(stream))


def count_packets(path: Path) -> int:
    """Frames whose data is there, without decoding: finds a file that was cut off."""
    with open_packets(path) as (_, packets):
        return sum(not packet.is_corrupt for packet in packets)


@contextmanager
def open_packets(path: Path) -> Iterator[tuple[VideoStream, Iterator[Packet[VideoStream]]]]:
    """The one stream of a video and its packets, undecoded.

    MultitrainError where it is damaged. What fails in the caller's own doing is left as it is.
    """
    with _told_as_damage(path):
        container = av.open(str(path), **WITHOUT_DECODING)
    with container:
        stream = only_video(container, path)
        yield stream, _packets(container, stream, path)


def _packets(
    container: InputContainer, stream: VideoStream, path: Path
) -> Iterator[Packet[VideoStream]]:
    with _told_as_damage(path):
        for packet in container.demux(stream):
            if packet.size:  # PyAV ends with an empty one
                yield packet


@contextmanager
def _told_as_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except (av.error.FFmpegError, OSError) as error:
        raise MultitrainError(f"{path} is damaged: {error.strerror}") from error


def settings_of(stream: VideoStream) -> bytes:
    """What the header has for the decoder; at least the code, which tells kinds of HAP apart."""
    context = stream.codec_context
    return bytes(context.extradata or b"") or str(context.codec_tag).encode()


def verify(
    path: Path,
    frames: int,
    fps: int | Fraction,
    width: int,
    height: int,
    *,
    has_alpha: bool = False,
    tick: Fraction | None = None,
) -> None:
    """Decode the whole file; MultitrainError unless it is a video of `width` x `height` pixels
    with exactly `frames` frames, number k at k / fps seconds, and with alpha where it must have it.

    `tick`: of a clock that is too coarse for that, in seconds; then it is the nearest tick.
    """
    try:
        # Else the first picture, which is the largest one, would be decoded twice.
        with av.open(str(path), **WITHOUT_DECODING) as container:
            stream = only_video(container, path)
            found = _decode_all(container, stream, path, Fraction(fps), tick)
            size = (stream.codec_context.width, stream.codec_context.height)
            pixels = stream.codec_context.format
            duration = _duration(container, stream)
    except (av.error.FFmpegError, OSError) as error:
        raise MultitrainError(f"{path} cannot be decoded: {error.strerror}") from error
    if found != frames:
        raise MultitrainError(f"{path} has {found} frames instead of {frames}")
    if size != (width, height):
        raise MultitrainError(f"{path} is {size[0]}x{size[1]} instead of {width}x{height}")
    if has_alpha and not (pixels and any(each.is_alpha for each in pixels.components)):
        raise MultitrainError(f"{path} has no alpha: its pixels are {pixels and pixels.name}")
    if abs(duration - frames / Fraction(fps)) > (tick or 0):
        raise MultitrainError(f"{path} lasts {float(duration)} s, not {frames} frames at {fps} fps")


def _duration(container: InputContainer, stream: VideoStream) -> Fraction:
    """Seconds; some kinds of files have no duration for a stream."""
    if stream.duration is None:
        return Fraction(container.duration or 0, av.time_base)
    return stream.duration * exact(stream.time_base)


def _decode_all(
    container: InputContainer, stream: VideoStream, path: Path, fps: Fraction, tick: Fraction | None
) -> int:
    """The number of frames; MultitrainError at the first one that is damaged or out of time."""
    stream.codec_context.thread_count = DECODER_THREADS
    stream.thread_type = "AUTO"
    number = 0
    for frame in container.decode(stream):
        if frame.is_corrupt:  # painted over by the decoder, and counted like any other
            raise MultitrainError(f"{path}: frame {number} is damaged")
        late = abs((frame.pts or 0) * exact(frame.time_base) - number / fps)
        if frame.pts is None or late > (tick or 0) / 2:
            raise MultitrainError(f"{path}: frame {number} is not shown at {number}/{fps} s")
        number += 1
    return number


def only_video(container: InputContainer, path: Path) -> VideoStream:
    """The one stream; MultitrainError where there are others."""
    if len(container.streams.video) != 1 or len(container.streams) != 1:
        raise MultitrainError(f"{path} does not hold exactly one video and nothing else")
    return container.streams.video[0]


def hides_alpha(stream: VideoStream) -> bool:
    """Whether it is VP9 with alpha, which FFmpeg's own decoder leaves out (`VP9_WITH_ALPHA`)."""
    is_vp9 = stream.codec_context.name.endswith("vp9")
    return is_vp9 and stream.metadata.get("alpha_mode") == "1"


def exact(rate: Fraction | None) -> Fraction:
    """A rate or time base, 0 where it is unset; PyAV has a rational type of its own from 19 on."""
    return Fraction(rate.numerator, rate.denominator) if rate else Fraction(0)

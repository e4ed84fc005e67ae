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
# Seconds that sound may end later than its video, of files that have one duration for both (.webm):
# its last packet is as long as the others.
SOUND_ENDS = Fraction(1, 20)

# By default, opening a file decodes its first picture, which takes fifty times as long as the rest.
# These options affect only the opening: decoding later gives every picture.
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
    settings: bytes  # for the decoder; the same in all files of one kind that one encoder made


def read_header(path: Path, like: Header | None = None) -> Header:
    """The file's header; MultitrainError where it is no video.

    `like` is the header of another file. Where both have the same settings, this is much quicker:
    the layout of the pixels, which takes decoding to find out, is then the same, too.
    """
    try:
        with av.open(str(path.absolute()), **(WITHOUT_DECODING if like else {})) as container:
            header = _header(only_video(container, path))
    except (av.error.FFmpegError, OSError) as error:
        raise MultitrainError(f"{path} cannot be read as a video: {error.strerror}") from error
    if not like:
        return header
    if header.settings != like.settings:
        return read_header(path)
    return replace(header, format=replace(header.format, pixels=like.format.pixels))


def _header(stream: VideoStream) -> Header:
    return Header(format_of(stream), stream.frames, settings_of(stream))


def format_of(stream: VideoStream) -> Format:
    """The format of a video as its header states it."""
    context = stream.codec_context
    return Format(
        codec=context.name,
        pixels=str(context.pix_fmt),
        width=context.width,
        height=context.height,
        fps=exact(stream.average_rate),
        time_base=exact(stream.time_base),
    )


def count_packets(path: Path) -> int:
    """The number of frames whose data is there, without decoding: finds files that were cut off."""
    with open_packets(path) as (_, packets):
        return sum(not packet.is_corrupt for packet in packets)


@contextmanager
def open_packets(
    path: Path, first: int = 0, *, with_sound: bool = False
) -> Iterator[tuple[VideoStream, Iterator[Packet[VideoStream]]]]:
    """The one stream of a video and its packets, undecoded, from that of frame `first` on.

    `first` must be a keyframe. There may be sound and a time code if `with_sound`. MultitrainError
    where it is none, or the video is damaged. Errors that the caller raises within the block are
    passed on unchanged.
    """
    with _as_damage(path):
        container = av.open(str(path.absolute()), **WITHOUT_DECODING)
    with container:
        stream = container.streams.video[0] if with_sound else only_video(container, path)
        yield stream, _packets(container, stream, path, first)


def _packets(
    container: InputContainer, stream: VideoStream, path: Path, first: int
) -> Iterator[Packet[VideoStream]]:
    with _as_damage(path):
        if first:
            _seek(container, stream, path, first)
        for packet in container.demux(stream):
            if packet.size:  # PyAV ends with an empty one
                yield packet


def _seek(container: InputContainer, stream: VideoStream, path: Path, frame: int) -> None:
    moment = frame / (exact(stream.average_rate) * exact(stream.time_base))
    container.seek(round(moment), stream=stream)
    packet = next(container.demux(stream))
    if packet.pts != moment or not packet.is_keyframe:
        raise MultitrainError(f"{path} cannot be cut at frame {frame}, which is no keyframe")
    container.seek(round(moment), stream=stream)


@contextmanager
def _as_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except (av.error.FFmpegError, OSError) as error:
        raise MultitrainError(f"{path} is damaged: {error.strerror}") from error


def settings_of(stream: VideoStream) -> bytes:
    """The decoder's settings in the header, or the codec's tag, which differs by kind of HAP."""
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
    has_sound: bool = False,
    tick: Fraction | None = None,
) -> None:
    """Decode the whole file; MultitrainError unless it is a video of `width` x `height` pixels
    with exactly `frames` frames, number k at k / fps seconds, with alpha where it must have it, and
    a track of sound where it must have one. Nothing else may be in it.

    Where the file's clock is too coarse for that, `tick` is its tick in seconds: each frame must be
    at the nearest tick.
    """
    try:
        # Without these options the first picture, the largest one, would be decoded twice.
        with av.open(str(path.absolute()), **WITHOUT_DECODING) as container:
            stream = _with_sound(container, path) if has_sound else only_video(container, path)
            found = _decode_all(container, stream, path, Fraction(fps), tick)
            size = (stream.codec_context.width, stream.codec_context.height)
            pixels = stream.codec_context.format
            duration = _duration(container, stream)
            later = SOUND_ENDS if has_sound and tick else Fraction(0)
    except (av.error.FFmpegError, OSError) as error:
        raise MultitrainError(f"{path} cannot be decoded: {error.strerror}") from error
    if found != frames:
        raise MultitrainError(f"{path} has {found} frames instead of {frames}")
    if size != (width, height):
        raise MultitrainError(f"{path} is {size[0]}x{size[1]} instead of {width}x{height}")
    if has_alpha and not (pixels and any(each.is_alpha for each in pixels.components)):
        raise MultitrainError(f"{path} has no alpha: its pixels are {pixels and pixels.name}")
    if abs(duration - frames / Fraction(fps)) > (tick or 0) + later:
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
    """The only stream of a file, a video; MultitrainError where there are others."""
    if len(container.streams.video) != 1 or len(container.streams) != 1:
        raise MultitrainError(f"{path} does not hold exactly one video and nothing else")
    return container.streams.video[0]


def _with_sound(container: InputContainer, path: Path) -> VideoStream:
    kinds = sorted(each.type for each in container.streams)
    if kinds != ["audio", "video"]:
        raise MultitrainError(f"{path} does not hold exactly one video and its sound")
    return container.streams.video[0]


def exact(rate: Fraction | None) -> Fraction:
    """A rate or time base, 0 where it is unset; PyAV has a rational type of its own from 19 on."""
    return Fraction(rate.numerator, rate.denominator) if rate else Fraction(0)

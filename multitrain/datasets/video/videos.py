"""Video files: opening them, what they are, going to a keyframe in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from jobs.kinds import Resolution
from multitrain.datasets.video.program_streams import counted, is_counted

# A file may be a playlist of others: only files, and nothing on the network. Frames of containers
# that only tell when they are decoded (AVI) get the times when they are shown.
OPTIONS = {"protocol_whitelist": "file", "fflags": "+genpts"}
DRAWN = ("gif", "apng", "webp", "webp_anim", "png")  # FFmpeg's names of decoders
PROGRESSIVE = 1  # as FFmpeg counts orders of fields; 0 is unknown
FARTHEST_BACK = 64.0  # seconds before a time to look for its keyframe; then from the beginning
BEFORE_FIRST = 1  # second; the first keyframe is decoded before it is shown, by less than that

if TYPE_CHECKING:
    Packets = Iterator[Packet[VideoStream]]


class UnreadableVideo(Exception):
    """Why one file cannot be used: one clause for a person."""


@dataclass(frozen=True)
class Video:
    """What is needed to find and show frames of a file.

    `first` and `last` are presentation times of frames, in units of `time_base` (seconds), as all
    times called `pts`. `size` is as it is seen: upright, with square pixels.
    """

    path: Path
    time_base: Fraction
    first: int
    last: int
    frame_seconds: Fraction  # of most frames
    size: Resolution
    pixel_shape: Fraction  # width / height of a stored pixel
    progressive: bool  # as the file says
    drawn: bool = False  # of a format for pictures that move, which has no fields
    counted: bool = False  # its frames are, so that it is read from the beginning

    @property
    def seconds(self) -> float:
        """From the first frame's beginning to the last one's end."""
        return float((self.last - self.first) * self.time_base + self.frame_seconds)

    def pts_at(self, seconds: float) -> int:
        """`seconds` count from the first frame."""
        return self.first + round(Fraction(seconds) / self.time_base)

    def seconds_at(self, pts: int) -> float:
        """The inverse of `pts_at`."""
        return float((pts - self.first) * self.time_base)


@contextmanager
def opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The file and its pictures; covers of music are none. UnreadableVideo where it cannot be."""
    with ExitStack() as files:
        try:
            container = _open(path, files)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise UnreadableVideo(_reason(path, error)) from error
        streams = [each for each in container.streams.video if not _is_cover(each)]
        if not streams:
            raise UnreadableVideo("holds no video")
        streams[0].codec_context.thread_count = 1  # others are at work on other parts of it
        with told_as_unreadable(path):
            yield container, streams[0]


@contextmanager
def told_as_unreadable(path: Path) -> Iterator[None]:
    """What FFmpeg cannot do with a file becomes UnreadableVideo."""
    try:
        yield
    except av.error.FFmpegError as error:
        raise UnreadableVideo(_reason(path, error)) from error


def look(path: Path) -> Video:
    """Read the header, the first frame and the times of the last ones."""
    with opened(path) as (container, stream):
        if stream.time_base is None:
            raise UnreadableVideo("does not tell when its frames are shown")
        frame = next(container.decode(stream), None)
        if frame is None or frame.pts is None:
            raise UnreadableVideo(
                "has no frame that can be decoded, or it does not tell its time: then "
                "`ffmpeg -i IT -c copy new.mkv` helps"
            )
        first = _first_pts(container, stream, frame.pts)
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        shape = Fraction(stream.sample_aspect_ratio or 1)
        return Video(
            path=path,
            time_base=Fraction(stream.time_base),
            first=first,
            last=_last_pts(container, stream, first),
            frame_seconds=1 / Fraction(rate),
            size=seen_size(frame, shape),
            pixel_shape=shape,
            progressive=stream.codec_context.field_order == PROGRESSIVE,
            drawn=stream.codec_context.name in DRAWN,
            counted=_is_counted(container, stream),
        )


def seen_size(frame: VideoFrame, pixel_shape: Fraction) -> Resolution:
    """Upright, with square pixels."""
    size = Resolution(max(1, round(frame.width * pixel_shape)), frame.height)
    return Resolution(size.height, size.width) if frame.rotation % 180 else size


def from_keyframe(container: InputContainer, stream: VideoStream, pts: int, first: int) -> Packets:
    """Packets from the last keyframe on that is shown at `pts` or before.

    From the beginning of the file, where there is none, or where frames are counted. What a
    container finds goes by the time of decoding, which is before that of showing: so it may find
    one that is too late.
    """
    time_base = Fraction(stream.time_base or 1)
    earliest = first - round(BEFORE_FIRST / time_base)
    back = 0.0
    if _is_counted(container, stream):
        _seek(container, stream, earliest, first)
        return counted(_whole(container.demux(stream)))
    while back <= FARTHEST_BACK:
        sought = pts - round(Fraction(back) / time_base)
        _seek(container, stream, max(sought, earliest), first)
        packets = _whole(container.demux(stream))
        key = next((each for each in packets if each.is_keyframe and each.pts is not None), None)
        if key is not None and key.pts is not None and key.pts <= pts:
            return chain([key], packets)
        if sought <= earliest:
            break
        back = 2 * back or 1.0
    _seek(container, stream, earliest, first)
    return _whole(container.demux(stream))


def _seek(container: InputContainer, stream: VideoStream, pts: int, first: int) -> None:
    """To `first` where some containers (AVI, FLV) know nothing before it."""
    try:
        container.seek(pts, stream=stream)
    except av.error.FFmpegError:
        if pts >= first:
            raise
        container.seek(first, stream=stream)


def _whole(packets: Packets) -> Packets:
    """Up to the end, or to where the file was cut off."""
    try:
        yield from packets
    except av.error.FFmpegError:
        return


def _open(path: Path, files: ExitStack) -> InputContainer:
    """FFmpeg takes what comes before a colon for a protocol, and only names that are Unicode."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        file = files.enter_context(path.open("rb"))
        return files.enter_context(av.open(file, "r", options=OPTIONS))
    return files.enter_context(av.open(f"file:{path}", "r", options=OPTIONS))


def _is_cover(stream: VideoStream) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _is_counted(container: InputContainer, stream: VideoStream) -> bool:
    return is_counted(container.format.name, stream.codec_context.name)


def _first_pts(container: InputContainer, stream: VideoStream, decoded: int) -> int:
    """`decoded`: as the first frame that was decoded has it, which is not how they are counted."""
    if not _is_counted(container, stream):
        return decoded
    packets = from_keyframe(container, stream, decoded, decoded)
    return next(
        (each.pts for each in packets if each.is_keyframe and each.pts is not None), decoded
    )


def _last_pts(container: InputContainer, stream: VideoStream, first: int) -> int:
    """When the last frame is shown: by the file's end, whatever its header says."""
    if stream.duration:
        packets = from_keyframe(container, stream, first + stream.duration, first)
        if times := _shown(packets):
            return max(first, *times)
    return max([first, *_shown(from_keyframe(container, stream, first, first))])


def _shown(packets: Packets) -> list[int]:
    return [each.pts for each in packets if each.pts is not None and each.size]


def _reason(path: Path, error: Exception) -> str:
    if not path.exists():
        return "is not there"
    if path.is_file() and not path.stat().st_size:
        return "is empty"
    if isinstance(error, (av.error.InvalidDataError, av.error.EOFError)):
        return "is no video, or it is damaged"
    return str(getattr(error, "strerror", None) or error).casefold()

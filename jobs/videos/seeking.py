"""Packets of a video from a keyframe on, each with the time that its frame is shown."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from jobs.videos import appended
from jobs.videos.program_streams import counted, is_counted

FARTHEST_BACK = 64.0  # seconds before a time to look for its keyframe; then the file is read whole
BEFORE_FIRST = 1  # second; the first keyframe is decoded less than that before it is shown

if TYPE_CHECKING:
    Packets = Iterator[Packet[VideoStream]]


class Times(Enum):
    """Where the right times of a file's frames come from."""

    TOLD = "as the file tells them"
    COUNTED = "counted from its beginning"
    GOING_ON = "going on where they begin again"

    @property
    def from_beginning(self) -> bool:
        """Whether they are known only by reading the file from its beginning."""
        return self is not Times.TOLD


def times_of(container: InputContainer, stream: VideoStream) -> Times:
    """The `Times` of a file just opened; reads all of it, where it may have been put together."""
    if is_counted(container.format.name, stream.codec_context.name):
        return Times.COUNTED
    if container.format.name not in appended.FORMATS:
        return Times.TOLD
    begin_again = appended.begin_again(_from_first_byte(container, stream))
    container.seek(0, unsupported_byte_offset=True)
    return Times.GOING_ON if begin_again else Times.TOLD


def from_keyframe(
    container: InputContainer,
    stream: VideoStream,
    pts: int,
    first: int,
    times: Times = Times.TOLD,
) -> Packets:
    """Packets from the last keyframe on that is shown at `pts` or before.

    `first` is when the first frame is shown. Reads from the beginning of the file where there is no
    such keyframe, or where times are known only from there. Containers seek by the time of
    decoding, which is before that of showing: so they may find a keyframe that is too late, and
    this looks further back.
    """
    time_base = Fraction(stream.time_base or 1)
    earliest = first - round(BEFORE_FIRST / time_base)
    back = 0.0
    if times.from_beginning:
        return from_beginning(container, stream, times)
    while back <= FARTHEST_BACK:
        sought = pts - round(Fraction(back) / time_base)
        _seek(container, stream, max(sought, earliest), first)
        packets = whole(container.demux(stream))
        key = next((each for each in packets if each.is_keyframe and each.pts is not None), None)
        if key is not None and key.pts is not None and key.pts <= pts:
            return chain([key], packets)
        if sought <= earliest:
            break
        back = 2 * back or 1.0
    _seek(container, stream, earliest, first)
    return whole(container.demux(stream))


def from_beginning(container: InputContainer, stream: VideoStream, times: Times) -> Packets:
    """All packets of a file whose times are known only from its beginning."""
    packets = _from_first_byte(container, stream)
    if times is Times.COUNTED:
        return counted(packets)
    rate = stream.average_rate or stream.guessed_rate or 25
    return appended.going_on(packets, round(1 / (rate * (stream.time_base or 1))))


def _from_first_byte(container: InputContainer, stream: VideoStream) -> Packets:
    """All packets; seeks even if nothing was read yet, as FFmpeg then guesses times differently."""
    container.seek(0, unsupported_byte_offset=True)
    return whole(container.demux(stream))


def _seek(container: InputContainer, stream: VideoStream, pts: int, first: int) -> None:
    """Seek to `pts`, or to `first` where a container (AVI, FLV) refuses what is before it."""
    try:
        container.seek(pts, stream=stream)
    except av.error.FFmpegError:
        if pts >= first:
            raise
        container.seek(first, stream=stream)


def whole(packets: Packets) -> Packets:
    """The packets up to the end, or to where the file was cut off; without PyAV's empty ones."""
    try:
        yield from (packet for packet in packets if packet.size)
    except av.error.FFmpegError:
        return

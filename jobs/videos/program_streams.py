"""Times of frames in MPEG program streams (.mpg, .vob), counted from the beginning.

Such a stream consists of small parts, and has one time for all frames that begin in a part. FFmpeg
guesses the times of the others. It is wrong after every leap in the file, and gives a part's time
to the wrong frame where a header lies across the border of two parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from av.packet import Packet
from av.video.stream import VideoStream

CODECS = ("mpeg1video", "mpeg2video")
PICTURE = b"\0\0\1\0"  # its start code, then 10 bits of order and 3 of type: ISO/IEC 13818-2, 6.2.3
BIDIRECTIONAL = 3
LEAP = Fraction(1, 2)  # second; where the stream's times jump farther ahead, they are believed


def is_counted(container_format: str, codec: str) -> bool:
    """Whether times of frames must be counted to be right, in this container with this codec."""
    return container_format == "mpeg" and codec in CODECS


def counted(packets: Iterator[Packet[VideoStream]]) -> Iterator[Packet[VideoStream]]:
    """All packets in the order of decoding, each with the time when its frame is shown.

    A frame that others depend on is shown when the next such frame is decoded, other frames at
    once. Where times begin again, as in streams that were put together, they go on.
    """
    waiting: list[Packet[VideoStream]] = []  # one that others depend on, and the rest behind it
    expected: int | None = None
    for packet in packets:
        if not packet.size:
            continue
        if not _is_bidirectional(packet):
            yield from _shown(waiting, expected)
            waiting = []
        packet.dts = _decoded_at(packet, expected)
        if packet.dts is not None:
            expected = packet.dts + (packet.duration or 0)
        waiting.append(packet)
    yield from _shown(waiting, expected)


def _is_bidirectional(packet: Packet[VideoStream]) -> bool:
    content = bytes(packet)
    at = content.find(PICTURE) + len(PICTURE) + 1
    return at < len(content) and content[at] >> 3 & 7 == BIDIRECTIONAL


def _decoded_at(packet: Packet[VideoStream], expected: int | None) -> int | None:
    if packet.dts is None or expected is None:
        return packet.dts if expected is None else expected
    return packet.dts if (packet.dts - expected) * packet.time_base > LEAP else expected


def _shown(
    packets: list[Packet[VideoStream]], following: int | None
) -> Iterator[Packet[VideoStream]]:
    for packet in packets:
        packet.pts = packet.dts if _is_bidirectional(packet) else following
        yield packet

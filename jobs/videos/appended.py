"""Recordings that were put together, as by `cat one.ts two.ts`: makes their times go on.

Where the second recording begins, times in the file begin again or leap ahead. Its frames are to be
shown directly after those of the first. A leap of up to `LONGEST_GAP` is a gap within a recording,
as for FFmpeg (`-dts_delta_threshold`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from av.packet import Packet
from av.video.stream import VideoStream

LONGEST_GAP = 10  # seconds
FORMATS = ("mpegts", "mpeg")  # FFmpeg's names of containers that can be put together so
WRAP = 1 << 33  # where their clocks begin again: FFmpeg counts on, but cannot seek beyond it


def begin_again(packets: Iterable[Packet[VideoStream]]) -> bool:
    """Whether the times of a file's packets begin again, leap ahead or pass `WRAP`."""
    joints = _Joints()
    return any(
        joints.lies_before(packet) or (packet.pts or 0) >= WRAP for packet in packets if packet.size
    )


def going_on(packets: Iterable[Packet[VideoStream]], frame: int) -> Iterator[Packet[VideoStream]]:
    """All packets of a file, with times that go on; `frame` is the length of one, in ticks."""
    joints, shift, later = _Joints(), 0, 0
    shown: int | None = None  # when the last frame so far is shown
    decoded = 0  # when the frame before is decoded
    for packet in packets:
        if not packet.size:
            continue
        if joints.lies_before(packet) and packet.pts is not None and packet.dts is not None:
            shift = (shown or 0) + frame - packet.pts
            later = decoded + frame - packet.dts
        if packet.dts is not None:
            decoded = packet.dts = packet.dts + later
        if packet.pts is not None:
            packet.pts += shift
            shown = packet.pts if shown is None else max(shown, packet.pts)
        yield packet


class _Joints:
    """Finds where one recording ends and another begins.

    Within one recording, a keyframe is shown after all that was decoded before it, and times of
    decoding rise. FFmpeg may leave out the first time of decoding.
    """

    def __init__(self) -> None:
        self._shown: int | None = None
        self._decoded: int | None = None

    def lies_before(self, packet: Packet[VideoStream]) -> bool:
        is_joint = self._starts_over(packet) or self._leaps(packet)
        if is_joint:
            self._shown = None
        if packet.pts is not None:
            self._shown = packet.pts if self._shown is None else max(self._shown, packet.pts)
        self._decoded = packet.dts if packet.dts is not None else self._decoded
        return is_joint

    def _starts_over(self, packet: Packet[VideoStream]) -> bool:
        if packet.is_keyframe and packet.pts is not None and self._shown is not None:
            return packet.pts <= self._shown
        return packet.dts is not None and self._decoded is not None and packet.dts < self._decoded

    def _leaps(self, packet: Packet[VideoStream]) -> bool:
        if packet.dts is None or self._decoded is None:
            return False
        return (packet.dts - self._decoded) * packet.time_base > LONGEST_GAP

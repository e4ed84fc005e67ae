"""Videos of one encoder joined by copying their packets, and whether that has come out right.

The result is compared with its sources, packet by packet: it shows what they show, and need not be
decoded as they were, which takes a hundred times as long as to copy them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path

import av
from av.packet import Packet
from av.video.stream import VideoStream

from jobs.errors import MultitrainError
from jobs.videos import FormatName
from render.containers import muxer
from render.probe import exact, open_packets, settings_of

# Of these codecs PyAV writes no .mov files; ffmpegs that make videos of these formats do.
NOT_COPIED: dict[str, FormatName] = {"ffv1": "ffv1"}

# The most that a file's index takes: a frame may need an entry in each of its tables of sizes (4
# bytes), keyframes (4), chunks (8) and samples per chunk (12).
INDEX_BYTES, INDEX_BYTES_PER_FRAME = 4096, 28


def copy_packets(sources: Sequence[Path], output: Path, frames: int, timescale: int) -> None:
    """Write the packets of `sources`, which have the same settings, to one file, in their order.

    They are shown in that order too, which is wrong for videos with B-frames: `is_copy` tells.

    There is room for the index of `frames` frames in front: a film starts before it is loaded
    whole, and need not be written a second time to move the index there. `timescale` is in ticks
    per second. MultitrainError, with the file's name, where a source is damaged or the output
    cannot be written (`jobs.disk.means_full`, where the disk is full).
    """
    options = {
        "fflags": "+bitexact",
        "moov_size": str(INDEX_BYTES + INDEX_BYTES_PER_FRAME * frames),
        "video_track_timescale": str(timescale),
    }
    kind = muxer(sources[0].suffix)
    with _told(output), av.open(str(output), "w", format=kind, options=options) as container:
        copied, at = None, 0
        for source in sources:
            with open_packets(source) as (stream, packets):
                copied = copied or container.add_stream_from_template(stream, opaque=True)
                for packet in packets:
                    length = packet.duration or 0
                    packet.pts = packet.dts = at
                    packet.stream = copied
                    container.mux(packet)
                    at += length


@contextmanager
def _told(output: Path) -> Iterator[None]:
    """What sources do is told by themselves."""
    try:
        yield
    except (av.error.FFmpegError, OSError) as error:
        raise MultitrainError(f"{output} cannot be written: {error.strerror}") from error


def is_copy(output: Path, sources: Sequence[Path], frames: int, fps: int) -> bool:
    """Whether `output` has `frames` packets: those of `sources`, number k at k / fps seconds.

    False also where a source shows its packets in another order, or not all of them.
    MultitrainError where a file cannot be read.
    """
    with open_packets(output) as (stream, packets):
        tick = 1 / (fps * exact(stream.time_base))
        if (stream.duration or 0) != frames * tick:
            return False
        pairs = zip_longest(packets, _packets_of_all(sources, settings_of(stream)))
        number = 0
        for ours, theirs in pairs:
            if not (ours and theirs and ours.pts == number * tick and _same(ours, theirs)):
                return False
            number += 1
        return number == frames


def _packets_of_all(sources: Sequence[Path], settings: bytes) -> Iterator[Packet[VideoStream]]:
    """Up to the first source that has other settings."""
    for source in sources:
        with open_packets(source) as (stream, packets):
            if settings_of(stream) != settings:
                return
            yield from packets


def _same(ours: Packet[VideoStream], theirs: Packet[VideoStream]) -> bool:
    return (
        not ours.is_corrupt
        and not theirs.is_corrupt
        and not theirs.is_discard  # cut off by the source's edit list
        and theirs.pts == theirs.dts  # no B-frames, which are stored in another order than shown
        and ours.is_keyframe == theirs.is_keyframe
        and bytes(ours) == bytes(theirs)
    )

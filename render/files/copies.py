"""Videos of one encoder joined by copying their packets, and whether that has come out right.

The result is compared with its sources, packet by packet. So it shows what they show, and need not
be decoded, which would take a hundred times as long as copying.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice, zip_longest
from pathlib import Path

import av
from av.packet import Packet
from av.video.stream import VideoStream

from jobs.errors import MultitrainError
from jobs.settings.videos import FormatName
from render.encoding.containers import Rate, muxer
from render.files.probe import exact, open_packets, settings_of

# By codec that PyAV cannot write into .mov files: the format whose ffmpeg can.
NOT_COPIED: dict[str, FormatName] = {"ffv1": "ffv1"}

# The most that a file's index takes: a frame may need an entry in each of its tables of sizes (4
# bytes), keyframes (4), chunks (8) and samples per chunk (12).
INDEX_BYTES, INDEX_BYTES_PER_FRAME = 4096, 28


def copy_packets(
    sources: Sequence[Path], output: Path, frames: int, timescale: int, first: int | None = None
) -> None:
    """Write the packets of `sources`, which have the same settings, to one file, in their order.

    With `first`, a keyframe, only `frames` frames of the one source, from this one on. Packets are
    also shown in the order in which they are stored, which is wrong with B-frames: `is_copy` finds
    that out.

    Room for the index of `frames` frames is left in front, so that players can begin before they
    have the whole file, and it need not be written a second time. `timescale` is in ticks per
    second. MultitrainError, with the file's name, where a source is damaged or the output cannot be
    written (`jobs.workspace.disk.means_full`, where the disk is full).
    """
    options = {
        "fflags": "+bitexact",
        "moov_size": str(INDEX_BYTES + INDEX_BYTES_PER_FRAME * frames),
        "video_track_timescale": str(timescale),
    }
    kind = muxer(sources[0].suffix)
    with _named(output), av.open(str(output), "w", format=kind, options=options) as container:
        copied, at = None, 0
        for source in sources:
            with open_packets(source, first or 0) as (stream, packets):
                copied = copied or container.add_stream_from_template(stream, opaque=True)
                for packet in packets if first is None else islice(packets, frames):
                    length = packet.duration or 0
                    packet.pts = packet.dts = at
                    packet.stream = copied
                    container.mux(packet)
                    at += length


@contextmanager
def _named(output: Path) -> Iterator[None]:
    """Errors of writing, with the output's name; those of reading have the source's already."""
    try:
        yield
    except (av.error.FFmpegError, OSError) as error:
        raise MultitrainError(f"{output} cannot be written: {error.strerror}") from error


def is_copy(
    output: Path, sources: Sequence[Path], frames: int, fps: Rate, first: int | None = None
) -> bool:
    """Whether `output` has `frames` packets: those of `sources`, number k at k / fps seconds.

    With `first`, those of the one source from this frame on, as of `copy_packets`.

    False also where a source shows its packets in another order, or not all of them.
    MultitrainError where a file cannot be read.
    """
    with open_packets(output) as (stream, packets):
        tick = 1 / (fps * exact(stream.time_base))
        if (stream.duration or 0) != frames * tick:
            return False
        wanted = _packets_of_all(sources, settings_of(stream), first or 0)
        pairs = zip_longest(packets, wanted if first is None else islice(wanted, frames))
        number = 0
        for ours, theirs in pairs:
            if not (ours and theirs and ours.pts == number * tick and _same(ours, theirs)):
                return False
            number += 1
        return number == frames


def have_same_packets(one: Path, other: Path, *, with_sound: bool = False) -> bool:
    """Whether two videos have the same settings and packets, shown at the same times.

    The other one may also have sound if `with_sound`.

    MultitrainError where a file cannot be read.
    """
    with (
        open_packets(one) as (ours, packets),
        open_packets(other, with_sound=with_sound) as (theirs, others),
    ):
        if settings_of(ours) != settings_of(theirs) or ours.time_base != theirs.time_base:
            return False
        return all(
            a and b and (a.pts, a.dts, bytes(a)) == (b.pts, b.dts, bytes(b))
            for a, b in zip_longest(packets, others)
        )


def _packets_of_all(
    sources: Sequence[Path], settings: bytes, first: int
) -> Iterator[Packet[VideoStream]]:
    """The packets of all sources, up to the first one that has other settings."""
    for source in sources:
        with open_packets(source, first) as (stream, packets):
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

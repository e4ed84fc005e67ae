"""A file of one video: how its frames are shown, and where each of them is.

The packets of a file have the times of all frames, and show at which decoding can begin.

Frames are as players show them (`render.shown`). Those that an edit list hides have no number. Of
frames at uneven times, each has as many numbers as it fills frames of the film's rate.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import chain, dropwhile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from jobs.errors import MultitrainError
from jobs.settings.kinds import Resolution
from jobs.videos import appended
from jobs.videos.opening import UnreadableVideo, decoder_of, hides_alpha, opened
from jobs.videos.orientation import UPRIGHT, Orientation, orientation_of, seen_size
from jobs.videos.seeking import Times, from_beginning, from_keyframe, times_of
from render.files.probe import Format, exact, format_of
from render.shown.rates import even_rate, held, usual_rate
from render.shown.screen import HDR, has_alpha, has_depth

if TYPE_CHECKING:
    from jobs.videos.seeking import Packets

BESIDE_SILENT = ("data",)  # kinds of streams that may be there; a time code is one of these
BESIDE = (*BESIDE_SILENT, "audio", "subtitle", "attachment")
MOST_HELD = 10**7  # frames of a film at uneven times, two days: damaged times may span years


class Start(NamedTuple):
    """Where decoding can begin: at a keyframe, which may be hidden."""

    frame: int  # the first one that is shown from there on
    key: int  # when the keyframe would be shown


@dataclass(frozen=True)
class Film:
    """A file of one video, and where each of its frames is."""

    path: Path
    format: Format  # as it is stored, but with the rate at which it is shown
    times: tuple[int, ...]  # in the order in which they are shown, in units of the stream
    starts: tuple[Start, ...]
    source: Times
    orientation: Orientation
    pixel_shape: Fraction  # width / height of a stored pixel
    has_alpha: bool
    is_hdr: bool
    hides_frames: bool  # by an edit list
    seen: tuple[int, ...] | None  # places in `times`, where these are uneven
    state: tuple[int, ...]  # of the file: another one has another

    @classmethod
    def look(cls, path: Path, *, with_sound: bool = False) -> Self:
        """Read where a file's frames are. MultitrainError where it has no video or no times.

        Nor may it have sound, which most callers would lose, unless `with_sound` says so.
        """
        with as_unreadable(path), opened(path) as (container, stream):
            _require_alone(container, stream, path, BESIDE if with_sound else BESIDE_SILENT)
            return cls._look(path, container, stream)

    @classmethod
    def _look(cls, path: Path, container: InputContainer, stream: VideoStream) -> Self:
        form = format_of(stream)
        packets = _Packets.read(container, stream, path)
        first = next(frames_from(container, stream, packets.first, packets.source), None)
        times = packets.shown
        if packets.first not in packets.keys or container.format.name in appended.FORMATS:
            decoded = frames_from(container, stream, packets.first, packets.source)
            times = sorted(frame.pts for frame in decoded if frame.pts is not None)
        if first is None or not times:
            raise MultitrainError(f"{path} holds no frames that can be decoded")
        rates = (exact(stream.average_rate), exact(stream.guessed_rate))
        rate, seen = even_rate(times, form.time_base, rates), None
        if rate is None:
            rate = usual_rate(times, form.time_base)
            frame = 1 / (rate * form.time_base)
            if max(packets.end, times[-1]) - times[0] > MOST_HELD * frame:
                raise MultitrainError(f"{path}: its frames come days apart; encode it anew")
            seen = held(times, packets.end, frame)
        return cls(
            path=path,
            format=replace(form, fps=rate),
            times=tuple(times),
            starts=_starts(times, packets),
            source=packets.source,
            orientation=orientation_of(first),
            pixel_shape=exact(stream.sample_aspect_ratio) or Fraction(1),
            has_alpha=hides_alpha(stream) or has_alpha(form.pixels),
            is_hdr=first.color_trc in HDR,
            hides_frames=packets.hide,
            seen=seen,
            state=state_of(path),
        )

    @property
    def frames(self) -> int:
        return len(self.times if self.seen is None else self.seen)

    @cached_property
    def size(self) -> Resolution:
        """The size in pixels as it is shown: upright, with square pixels."""
        stored = Resolution(self.format.width, self.format.height)
        return seen_size(stored, self.pixel_shape, self.orientation)

    @property
    def is_as_stored(self) -> bool:
        """Whether every frame is shown as it is stored, one after the other, as in our films."""
        upright = self.orientation == UPRIGHT and self.pixel_shape == 1
        return upright and self.in_step and not self.hides_frames

    @property
    def is_deep(self) -> bool:
        """Whether it has more than 8 bits, which can be kept."""
        is_resized = self.has_alpha and self.pixel_shape != 1  # colours weighted by alpha: in 8
        return has_depth(self.format.pixels) and not self.is_hdr and not is_resized

    @property
    def in_step(self) -> bool:
        """Whether every frame that is shown is seen as long as the others."""
        return self.seen is None and self.source is Times.TOLD

    @cached_property
    def numbers(self) -> dict[int, int]:
        """Places in `times`, by the times."""
        return {time: number for number, time in enumerate(self.times)}

    def place_of(self, number: int) -> int:
        """The place in `times` of frame `number`."""
        return number if self.seen is None else self.seen[number]

    def number_of(self, place: int) -> int:
        """The number of the first frame that shows what is at this place in `times`, or later."""
        return place if self.seen is None else bisect_left(self.seen, place)

    def start_before(self, place: int) -> Start:
        """The last start from which decoding reaches the frame at this place in `times`."""
        return self.starts[bisect_right(self.starts, place, key=lambda each: each.frame) - 1]


class _Packets(NamedTuple):
    """What the packets of a file say about its frames."""

    source: Times
    first: int  # when the first one would be shown, hidden or not
    shown: list[int]  # times, in order
    keys: frozenset[int]  # times of keyframes, hidden ones too
    hide: bool  # whether there are frames that are not shown
    end: int  # when the last one has been shown

    @classmethod
    def read(cls, container: InputContainer, stream: VideoStream, path: Path) -> Self:
        """Read all packets. MultitrainError where they have no times."""
        source = times_of(container, stream)
        packets = (
            from_beginning(container, stream, source)
            if source.from_beginning
            else container.demux(stream)
        )
        shown: list[int] = []
        keys: list[int] = []
        first, end, hide = None, 0, False
        for packet in packets:
            if not packet.size:
                continue
            if packet.pts is None:
                raise MultitrainError(f"{path}: its frames have no times; encode it anew")
            first = packet.pts if first is None else first
            keys += [packet.pts] * packet.is_keyframe
            if packet.is_discard:
                hide = True
            else:
                shown.append(packet.pts)
                end = max(end, packet.pts + (packet.duration or 0))
        if first is None:
            raise MultitrainError(f"{path} holds no frames")
        return cls(source, first, sorted(shown), frozenset(keys), hide, end)


def _starts(times: Sequence[int], packets: _Packets) -> tuple[Start, ...]:
    """Where decoding can begin: at the beginning of the file, and at each keyframe."""
    starts = {0: packets.first}
    for key in sorted(packets.keys):
        if (frame := bisect_left(times, key)) < len(times):
            starts[frame] = key
    return tuple(Start(frame, key) for frame, key in sorted(starts.items()))


def frames_from(
    container: InputContainer, stream: VideoStream, key: int, source: Times
) -> Iterator[VideoFrame]:
    """The decoded frames, from the keyframe on that is, or would be, shown at `key`."""
    packets: Packets = from_keyframe(container, stream, key, key, source)
    if source.from_beginning:
        packets = dropwhile(lambda packet: packet.pts != key, packets)
    decoder = decoder_of(stream)
    if decoder is stream.codec_context:
        decoder.flush_buffers()
    for packet in chain(packets, [None]):
        for frame in decoder.decode(packet):
            frame.time_base = exact(stream.time_base)
            yield frame


def state_of(path: Path) -> tuple[int, ...]:
    """What tells a file from any other, and from itself when it has been written to."""
    try:
        facts = path.stat()
    except OSError as error:
        raise MultitrainError(f"{path} is not there any more; give the command again") from error
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns


@contextmanager
def as_unreadable(path: Path) -> Iterator[None]:
    """MultitrainError, with the file's name, where the block finds that it is no video."""
    try:
        yield
    except UnreadableVideo as error:
        raise MultitrainError(f"{path} cannot be read as a video: it {error}") from error


def _require_alone(
    container: InputContainer, stream: VideoStream, path: Path, beside: Collection[str]
) -> None:
    """MultitrainError where there is more than one video, streams `beside` it, and a cover."""
    others = [each for each in container.streams if each.type not in beside and each is not stream]
    if any(not each.disposition & av.stream.Disposition.attached_pic for each in others):
        raise MultitrainError(f"{path} does not hold exactly one video and nothing else")

"""Frames of films by their number, exactly, in any order, with few of them in memory.

A frame is found by its time: the packets of a file have the times of all frames, and show at which
decoding can begin. Forwards, each frame is decoded once. Backwards, the frames between two
keyframes are decoded in parts, each time from the keyframe on; `KEPT_BYTES` of them are kept.

Frames are as players show them (`render.shown`). Those that an edit list hides have no number. Of
frames at uneven times, each has as many numbers as it fills frames of the film's rate.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import chain, dropwhile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from jobs.errors import MultitrainError
from jobs.plans.framing import covering
from jobs.settings.colours import RGB, RGBA
from jobs.settings.kinds import Resolution
from render.files.mixing import with_channels
from render.files.probe import DECODER_THREADS, Format, exact, format_of
from render.shown import appended
from render.shown.opening import UnreadableVideo, decoder_of, hides_alpha, opened
from render.shown.orientation import UPRIGHT, Orientation, orientation_of, seen_size
from render.shown.rates import even_rate, held, usual_rate
from render.shown.screen import HDR, Screen, has_alpha, over_black
from render.shown.seeking import Times, from_beginning, from_keyframe, times_of

if TYPE_CHECKING:
    from render.shown.seeking import Packets

KEPT_BYTES = 192 << 20  # of decoded frames, as the file has them
LEAST_KEPT = 4
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
    def look(cls, path: Path) -> Self:
        """Read where a file's frames are. MultitrainError where it has no video or no times."""
        with _as_unreadable(path), opened(path) as (container, stream):
            _require_alone(container, stream, path)
            return cls._look(path, container, stream)

    @classmethod
    def _look(cls, path: Path, container: InputContainer, stream: VideoStream) -> Self:
        form = format_of(stream)
        packets = _Packets.read(container, stream, path)
        first = next(_decoded(container, stream, packets.first, packets.source), None)
        times = packets.shown
        if packets.first not in packets.keys or container.format.name in appended.FORMATS:
            decoded = _decoded(container, stream, packets.first, packets.source)
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
            state=_state_of(path),
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


def _decoded(
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


class FilmReader:
    """The frames of one film, or of several files that are one: timecuts in their order.

    Use it as a context. Frames are uint8 `(height, width, 3)` in RGB, or 4 where they have alpha;
    upright, with square pixels. `small` is a size to shrink them to roughly, for comparing.
    `scale` is a size to cover, with their proportions; what exceeds it is cut off on both sides.
    """

    def __init__(
        self,
        files: Sequence[Path | Film],
        small: Resolution | None = None,
        scale: Resolution | None = None,
    ) -> None:
        """MultitrainError where a file is no video, or is not like the first one.

        Those that were looked at already must still be the same files whenever they are opened:
        films of jobs give their places to later ones.
        """
        self.films = tuple(each if isinstance(each, Film) else Film.look(each) for each in files)
        self.format = self.films[0].format
        for film in self.films[1:]:
            _require_alike(self.films[0], film)
        self._firsts = [sum(film.frames for film in self.films[:n]) for n in range(len(files))]
        self._small, self._scale = small, scale
        self._open: _OpenFilm | None = None

    @property
    def frames(self) -> int:
        return sum(film.frames for film in self.films)

    @property
    def size(self) -> Resolution:
        return self._small or self._scale or self.films[0].size

    @property
    def has_alpha(self) -> bool:
        return self.films[0].has_alpha

    @property
    def channels(self) -> int:
        return RGBA if self.has_alpha else RGB

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._open:
            self._open.close()

    def nearest_start(self, number: int) -> int:
        """The last frame up to `number` that can be decoded without any before it."""
        place = self._file_of(number)
        film, first = self.films[place], self._firsts[place]
        return first + film.number_of(film.start_before(film.place_of(number - first)).frame)

    def __getitem__(self, number: int) -> NDArray[np.uint8]:
        """The picture of a frame, numbers from 0. MultitrainError where it cannot be decoded."""
        if not 0 <= number < self.frames:
            raise IndexError(f"there is no frame {number} of {self.frames}")
        place = self._file_of(number)
        film = self.films[place]
        if self._open is None or self._open.film is not film:
            if self._open:
                self._open.close()
            self._open = _OpenFilm(film, self._screen(film))
        picture = self._open.frame(number - self._firsts[place])
        whole = with_channels(picture, RGBA) if self.has_alpha else over_black(picture)
        return _middle(whole, self.size)

    def _file_of(self, number: int) -> int:
        return bisect_right(self._firsts, number) - 1

    def _screen(self, film: Film) -> Screen:
        size = self._small or self.films[0].size
        if self._scale:
            size = covering(size, self._scale)
        return Screen(film.orientation, size, rough=self._small is not None)


def _middle(picture: NDArray[np.uint8], size: Resolution) -> NDArray[np.uint8]:
    """The middle of a picture that is as large as `size`, or larger along one side."""
    height, width = picture.shape[:2]
    if (width, height) == size:
        return picture
    left, upper = (width - size.width) // 2, (height - size.height) // 2
    return np.ascontiguousarray(picture[upper:, left:][: size.height, : size.width])


class _OpenFilm:
    """A file that is being decoded."""

    def __init__(self, film: Film, screen: Screen) -> None:
        self.film, self._screen = film, screen
        self._files = ExitStack()
        with _as_unreadable(film.path):
            self._container, self._stream = self._files.enter_context(opened(film.path))
        if _state_of(film.path) != film.state:
            self.close()
            raise MultitrainError(
                f"{film.path} has been replaced or written to meanwhile; give the command again"
            )
        self._stream.thread_type = "AUTO"
        self._stream.codec_context.thread_count = DECODER_THREADS
        self._decoded: Iterator[VideoFrame] = iter(())
        self._next = -1  # the place of the frame that comes next out of the decoder
        self._kept: OrderedDict[int, VideoFrame] = OrderedDict()  # those that came last

    def close(self) -> None:
        self._files.close()

    def frame(self, number: int) -> NDArray[np.uint8]:
        place = self.film.place_of(number)
        try:
            if place not in self._kept:
                self._go_to(place)
            return self._screen.picture(self._kept[place])
        except (av.error.FFmpegError, OSError) as error:
            raise self._damaged(number, error.strerror or str(error)) from error

    def _go_to(self, place: int) -> None:
        start = self.film.start_before(place)
        if self._next < 0 or place < self._next or start.frame > self._next:
            self._decoded = _decoded(self._container, self._stream, start.key, self.film.source)
            self._kept.clear()
            self._next = start.frame
        while self._next <= place:
            frame = next(self._decoded, None)
            if frame is None:
                raise self._damaged(place, "it is missing")
            there = self.film.numbers.get(-1 if frame.pts is None else frame.pts, -1)
            if there < self._next:  # shown before the keyframe
                continue
            if there != self._next or frame.is_corrupt:
                raise self._damaged(self._next, "it is missing or not whole")
            self._keep(there, frame)
            self._next = there + 1

    def _keep(self, place: int, frame: VideoFrame) -> None:
        self._kept[place] = frame
        size = sum(plane.buffer_size for plane in frame.planes)
        while len(self._kept) > max(LEAST_KEPT, KEPT_BYTES // size):
            self._kept.popitem(last=False)

    def _damaged(self, number: int, why: str) -> MultitrainError:
        return MultitrainError(f"{self.film.path}: frame {number} cannot be decoded: {why}")


def _state_of(path: Path) -> tuple[int, ...]:
    try:
        facts = path.stat()
    except OSError as error:
        raise MultitrainError(f"{path} is not there any more; give the command again") from error
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns


def frames_in_order(reader: FilmReader, first: int = 0) -> Iterator[NDArray[np.uint8]]:
    """The frames from number `first` to the last."""
    for number in range(first, reader.frames):
        yield reader[number]


@contextmanager
def _as_unreadable(path: Path) -> Iterator[None]:
    try:
        yield
    except UnreadableVideo as error:
        raise MultitrainError(f"{path} cannot be read as a video: it {error}") from error


def _require_alone(container: InputContainer, stream: VideoStream, path: Path) -> None:
    """MultitrainError where there is more than one video, data such as a time code, and a cover."""
    others = [each for each in container.streams if each.type != "data" and each is not stream]
    if any(not each.disposition & av.stream.Disposition.attached_pic for each in others):
        raise MultitrainError(f"{path} does not hold exactly one video and nothing else")


def _require_alike(first: Film, other: Film) -> None:
    ours, theirs = first.format, other.format
    if (first.size, ours.fps) != (other.size, theirs.fps):
        raise MultitrainError(
            f"{other.path} does not go with {first.path}: it is {theirs}, but the first is {ours}"
        )

"""Frames of films by their number, exactly, in any order, with few of them in memory.

A frame is found by its time: the packets of a file tell the times of all, and at which decoding can
begin. Forwards, each frame is decoded once. Backwards, the frames between two keyframes are decoded
in parts, from the keyframe on each time, and only as many are kept as memory is meant for.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Self

import av
import numpy as np
from av.codec import CodecContext
from av.container import InputContainer
from av.filter import Graph
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from jobs.colours import RGB, RGBA
from jobs.errors import MultitrainError
from jobs.kinds import Resolution
from render.probe import (
    DECODER_THREADS,
    VP9_WITH_ALPHA,
    Format,
    hides_alpha,
    open_packets,
    read_header,
)

KEPT_BYTES = 192 << 20  # of decoded frames, as the file has them
LEAST_KEPT = 4
EXACT = "bicubic+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact"
SMALL = "area"
HIGH = 720  # lines; colours of what is lower and says nothing of them are those of old television
OFF_TIME = Fraction(1, 2)  # of a frame: some containers round times to a thousandth of a second
FULL_RANGE = 2  # as FFmpeg counts them
MATRICES = {1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020"}


@dataclass(frozen=True)
class Film:
    """A file of one video, and where each of its frames is."""

    path: Path
    format: Format
    times: tuple[int, ...]  # in the order in which they are shown, in units of the stream
    keys: tuple[int, ...]  # numbers of frames at which decoding can begin; the first is 0
    has_hidden_alpha: bool  # VP9's, which only libvpx decodes

    @classmethod
    def look(cls, path: Path) -> Self:
        """MultitrainError where it is no video, or a turned one, or its times are not even."""
        form = read_header(path).format
        _require_upright(path)
        with open_packets(path) as (stream, packets):
            has_hidden_alpha = hides_alpha(stream)
            found = [
                (packet.pts, packet.is_keyframe) for packet in packets if not packet.is_discard
            ]
        if not found or not form.fps:
            raise MultitrainError(f"{path} holds no frames, or does not tell how many a second")
        if any(time is None for time, _ in found):
            raise MultitrainError(f"{path}: its frames have no times; encode it anew")
        shown = sorted((time, is_key) for time, is_key in found if time is not None)
        times = tuple(time for time, _ in shown)
        _require_even_times(path, form, times)
        keys = tuple(number for number, (_, is_key) in enumerate(shown) if is_key)
        if keys[:1] != (0,):
            raise MultitrainError(f"{path} does not begin with a keyframe; encode it anew")
        return cls(path, form, times, keys, has_hidden_alpha)

    @property
    def frames(self) -> int:
        return len(self.times)

    @cached_property
    def numbers(self) -> dict[int, int]:
        """Of frames, by their times."""
        return {time: number for number, time in enumerate(self.times)}

    def key_before(self, number: int) -> int:
        """The last keyframe up to frame `number`."""
        return self.keys[bisect_right(self.keys, number) - 1]


class FilmReader:
    """The frames of one film, or of several files that are one: timecuts in their order.

    Use it as a context. Frames are uint8 `(height, width, 3)` in RGB, or 4 where they have alpha.
    `small`: scaled to that size, roughly, which is for comparing them.
    """

    def __init__(self, paths: Sequence[Path], small: Resolution | None = None) -> None:
        """MultitrainError where a file is no video, or is not like the first one."""
        self.films = tuple(Film.look(path) for path in paths)
        self.format = self.films[0].format
        for film in self.films[1:]:
            _require_alike(self.films[0], film)
        self._firsts = [sum(film.frames for film in self.films[:n]) for n in range(len(paths))]
        self._small = small
        self._open: _OpenFilm | None = None

    @property
    def frames(self) -> int:
        return sum(film.frames for film in self.films)

    @property
    def size(self) -> Resolution:
        return self._small or Resolution(self.format.width, self.format.height)

    @cached_property
    def has_alpha(self) -> bool:
        return self.films[0].has_hidden_alpha or _has_alpha(self.format.pixels)

    @property
    def channels(self) -> int:
        return RGBA if self.has_alpha else RGB

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._open:
            self._open.close()

    def __getitem__(self, number: int) -> NDArray[np.uint8]:
        """MultitrainError where it cannot be decoded."""
        if not 0 <= number < self.frames:
            raise IndexError(f"there is no frame {number} of {self.frames}")
        place = bisect_right(self._firsts, number) - 1
        film = self.films[place]
        if self._open is None or self._open.film is not film:
            if self._open:
                self._open.close()
            self._open = _OpenFilm(film, self._small)
        return self._open.frame(number - self._firsts[place])


class _OpenFilm:
    """A file that is being decoded."""

    def __init__(self, film: Film, small: Resolution | None) -> None:
        self.film = film
        self._container: InputContainer = av.open(str(film.path))
        self._stream: VideoStream = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self._stream.codec_context.thread_count = DECODER_THREADS
        self._decoded = self._decode()
        self._next = 0  # the frame that comes next out of the decoder
        self._kept: OrderedDict[int, VideoFrame] = OrderedDict()  # those that came last
        self._colours = _Colours(small)

    def close(self) -> None:
        self._container.close()

    def frame(self, number: int) -> NDArray[np.uint8]:
        try:
            if number not in self._kept:
                self._go_to(number)
            return self._colours.converted(self._kept[number])
        except (av.error.FFmpegError, OSError) as error:
            raise self._damaged(number, error.strerror or str(error)) from error

    def _go_to(self, number: int) -> None:
        key = self.film.key_before(number)
        if number < self._next or key > self._next:
            self._container.seek(self.film.times[key], stream=self._stream)
            self._decoded = self._decode()
            self._kept.clear()
            self._next = key
        while self._next <= number:
            frame = next(self._decoded, None)
            if frame is None:
                raise self._damaged(number, "it is missing")
            there = self.film.numbers.get(-1 if frame.pts is None else frame.pts, -1)
            if there < self._next:  # of before the keyframe
                continue
            if there != self._next or frame.is_corrupt:
                raise self._damaged(self._next, "it is missing or not whole")
            self._keep(there, frame)
            self._next = there + 1

    def _decode(self) -> Iterator[VideoFrame]:
        """From where the container stands to its end."""
        if not self.film.has_hidden_alpha:
            yield from self._container.decode(self._stream)
            return
        decoder = CodecContext.create(VP9_WITH_ALPHA, "r")
        assert isinstance(decoder, VideoCodecContext)
        for packet in self._container.demux(self._stream):
            for frame in decoder.decode(packet):
                frame.time_base = self._stream.time_base
                yield frame

    def _keep(self, number: int, frame: VideoFrame) -> None:
        self._kept[number] = frame
        size = sum(plane.buffer_size for plane in frame.planes)
        while len(self._kept) > max(LEAST_KEPT, KEPT_BYTES // size):
            self._kept.popitem(last=False)

    def _damaged(self, number: int, why: str) -> MultitrainError:
        return MultitrainError(f"{self.film.path}: frame {number} cannot be decoded: {why}")


class _Colours:
    """From a decoder's pixels to RGB or RGBA, by the matrix and range that they are tagged with.

    What says nothing of its matrix is taken as players do: by its height.
    """

    def __init__(self, small: Resolution | None) -> None:
        self._small = small
        self._graph: Graph | None = None
        self._for: tuple[object, ...] = ()

    def converted(self, frame: VideoFrame) -> NDArray[np.uint8]:
        kind = (frame.format.name, frame.width, frame.height, frame.colorspace, frame.color_range)
        if self._graph is None or self._for != kind:
            self._graph, self._for = self._make(frame), kind
        self._graph.push(frame)
        shown = self._graph.pull()
        assert isinstance(shown, VideoFrame)
        return shown.to_ndarray().astype(np.uint8, copy=False)

    def _make(self, frame: VideoFrame) -> Graph:
        pixels = "rgba" if _has_alpha(frame.format.name) else "rgb24"
        scale = {"flags": SMALL if self._small else EXACT, "out_range": "pc"}
        if self._small:
            scale |= {"w": str(self._small.width), "h": str(self._small.height)}
        if not frame.format.is_rgb:
            is_full = frame.color_range == FULL_RANGE or frame.format.name.startswith("yuvj")
            scale["in_range"] = "pc" if is_full else "tv"
            usual = "bt709" if frame.height >= HIGH else "smpte170m"
            scale["in_color_matrix"] = MATRICES.get(int(frame.colorspace), usual)
        graph = Graph()
        graph.link_nodes(
            graph.add_buffer(
                width=frame.width,
                height=frame.height,
                format=frame.format,
                time_base=frame.time_base,
            ),
            graph.add("scale", None, **scale),
            graph.add("format", f"pix_fmts={pixels}"),
            graph.add("buffersink"),
        ).configure()
        return graph


def frames_in_order(reader: FilmReader, first: int = 0) -> Iterator[NDArray[np.uint8]]:
    """From number `first` to the last."""
    for number in range(first, reader.frames):
        yield reader[number]


def _has_alpha(pixels: str) -> bool:
    try:
        return any(each.is_alpha for each in av.VideoFormat(pixels).components)
    except ValueError:  # a name that tells nothing
        return False


def _require_upright(path: Path) -> None:
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0), None)
    if frame is not None and frame.rotation:
        raise MultitrainError(
            f"{path} is to be turned by {abs(frame.rotation)} degrees when it is shown, as films "
            "of phones are; encode it anew, upright"
        )


def _require_even_times(path: Path, form: Format, times: Sequence[int]) -> None:
    frame = 1 / (form.fps * form.time_base)
    for number, time in enumerate(times):
        if abs(time - times[0] - number * frame) > OFF_TIME * frame:
            raise MultitrainError(
                f"{path}: frame {number} is not shown at {number} / {float(form.fps):g} s; encode "
                "it anew with a constant frame rate"
            )


def _require_alike(first: Film, other: Film) -> None:
    ours, theirs = first.format, other.format
    if (ours.width, ours.height, ours.fps) != (theirs.width, theirs.height, theirs.fps):
        raise MultitrainError(
            f"{other.path} does not go with {first.path}: it is {theirs}, but the first is {ours}"
        )

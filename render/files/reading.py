"""Frames of films by their number, exactly, in any order, with few of them in memory.

A frame is found by its time (`render.files.film`). Forwards, each frame is decoded once. Backwards,
the frames between two keyframes are decoded in parts, each time from the keyframe on; `KEPT_BYTES`
of them are kept.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from jobs.errors import MultitrainError
from jobs.plans.framing import covering
from jobs.settings.colours import RGB, RGBA
from jobs.settings.kinds import Resolution
from jobs.videos.opening import opened
from render.files.film import Film, as_unreadable, frames_from, state_of
from render.files.mixing import with_channels
from render.files.probe import DECODER_THREADS
from render.shown.screen import Screen, over_black

KEPT_BYTES = 192 << 20  # of decoded frames, as the file has them
LEAST_KEPT = 4


class FilmReader:
    """The frames of one film, or of several files that are one: timecuts in their order.

    Use it as a context. Frames are `(height, width, 3)` in RGB, or 4 where they have alpha;
    upright, with square pixels. They are uint8; with `is_deep`, uint16 where the film has more
    bits. `small` is a size to shrink them to roughly, for comparing. `scale` is a size to cover,
    with their proportions; what exceeds it is cut off on both sides.
    """

    def __init__(
        self,
        files: Sequence[Path | Film],
        small: Resolution | None = None,
        scale: Resolution | None = None,
        *,
        is_deep: bool = False,
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
        self.is_deep = is_deep and all(film.is_deep for film in self.films)
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

    def __getitem__(self, number: int) -> NDArray[Any]:
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
        is_rough = self._small is not None
        return Screen(film.orientation, size, rough=is_rough, is_deep=self.is_deep)


def _middle(picture: NDArray[Any], size: Resolution) -> NDArray[Any]:
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
        with as_unreadable(film.path):
            self._container, self._stream = self._files.enter_context(opened(film.path))
        if state_of(film.path) != film.state:
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

    def frame(self, number: int) -> NDArray[Any]:
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
            self._decoded = frames_from(self._container, self._stream, start.key, self.film.source)
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


def frames_in_order(reader: FilmReader, first: int = 0) -> Iterator[NDArray[Any]]:
    """The frames from number `first` to the last."""
    for number in range(first, reader.frames):
        yield reader[number]


def _require_alike(first: Film, other: Film) -> None:
    ours, theirs = first.format, other.format
    if (first.size, ours.fps) != (other.size, theirs.fps):
        raise MultitrainError(
            f"{other.path} does not go with {first.path}: it is {theirs}, but the first is {ours}"
        )

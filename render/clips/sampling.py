"""Reads the few frames of a film from which `settled` finds where its picture has settled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jobs.errors import MultitrainError
from render.clips.settled import LEAST, begins_in_noise, settled
from render.encoding.watching import OnProgress
from render.files.reading import FilmReader

SAMPLES = 128  # so the moment is found to within a hundredth of the film
FIRST, LATER = 3, 8  # of these that are looked at in full size, to tell noise by


class Settled(NamedTuple):
    """Where a film has settled."""

    frame: int
    in_time: bool  # False: not in the first half of the film; `frame` is then the middle


def settled_frame(reader: FilmReader, on_progress: OnProgress) -> Settled:
    """The first frame from which on the film looks as it does to its end; 0 where it always does.

    `reader` gives small pictures. The same film gives the same frame. Damaged frames are passed
    over: the loop may need none of them, and if it does, making it reports them.
    """
    found = dict(_readable(reader, sampled_numbers(reader), on_progress))
    numbers, half = list(found), len(found) // 2
    if not numbers:
        return Settled(0, in_time=True)
    pictures = np.stack(list(found.values()))
    place = settled(pictures)
    if not place and len(numbers) >= LEAST:
        with FilmReader(reader.films) as whole:
            first, later = (
                (picture for _, picture in _readable(whole, some, on_progress))
                for some in (numbers[:FIRST], numbers[half :: -(-half // LATER)])
            )
            place = settled(pictures, in_noise=begins_in_noise(first, later))
    if not place:
        return Settled(0, in_time=True)
    return Settled(numbers[place], in_time=place < half)


def _readable(
    reader: FilmReader, numbers: Iterable[int], on_progress: OnProgress
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """The frames of these numbers that are not damaged."""
    for number in numbers:
        on_progress(0)
        with suppress(MultitrainError):
            yield number, reader[number]


def sampled_numbers(reader: FilmReader, first: int = 0, samples: int = SAMPLES) -> Iterator[int]:
    """Evenly spaced frames from `first` on, as keyframes where possible.

    Others need many frames decoded first.
    """
    frames = reader.frames - first
    bounds = [first + place * frames // samples for place in range(samples + 1)]
    for start, behind in pairwise(bounds):
        if start < behind:
            yield max(start, reader.nearest_start(behind - 1))

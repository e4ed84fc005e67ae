"""Reads the few frames of a film from which `settled` finds where its picture has settled."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from jobs.errors import MultitrainError
from render.clips.settled import settled
from render.encoding.watching import OnProgress
from render.files.reading import FilmReader

SAMPLES = 128  # so the moment is found to within a hundredth of the film


class Settled(NamedTuple):
    """Where a film has settled."""

    frame: int
    in_time: bool  # False: not in the first half of the film; `frame` is then the middle


def settled_frame(reader: FilmReader, on_progress: OnProgress) -> Settled:
    """The first frame from which on the film looks as it does to its end; 0 where it always does.

    `reader` gives small pictures. The same film gives the same frame. Damaged frames are passed
    over: the loop may need none of them, and if it does, making it reports them.
    """
    numbers, pictures = [], []
    for number in sampled_numbers(reader):
        on_progress(0)
        try:
            pictures.append(reader[number])
        except MultitrainError:
            continue
        numbers.append(number)
    place = settled(np.stack(pictures)) if pictures else 0
    if not place:
        return Settled(0, in_time=True)
    return Settled(numbers[place], in_time=place < len(numbers) // 2)


def sampled_numbers(reader: FilmReader, first: int = 0, samples: int = SAMPLES) -> Iterator[int]:
    """Evenly spaced frames from `first` on, as keyframes where possible.

    Others need many frames decoded first.
    """
    frames = reader.frames - first
    bounds = [first + place * frames // samples for place in range(samples + 1)]
    for start, behind in pairwise(bounds):
        if start < behind:
            yield max(start, reader.nearest_start(behind - 1))

"""The moments of a film that are most worth seeing: where much moves, each unlike the others.

They are measured as loops of mode `best` are, by small pictures, from where the picture has settled
on: a loop is best where the same comes again, and a moment where it does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jobs.errors import MultitrainError
from render.clips.alike import unlikeness
from render.clips.looping import SMALL
from render.clips.sampling import sampled_numbers, settled_frame
from render.encoding.watching import OnProgress
from render.files.film import Film
from render.files.reading import FilmReader

LOOKED_AT = 96  # moments, evenly from where the picture has settled to the end
MOTION_SECONDS = 0.25  # more would be several movements, less hardly one of slow films
LEAST_SHARE = 24  # two moments of a list lie at least so small a part of the film apart


class Chosen(NamedTuple):
    """A moment; `motion` and `novelty` are as `unlikeness` has them."""

    place: int  # of those that were looked at; in what `find_moments` returns, the frame
    motion: float
    novelty: float  # from the most alike of those that were chosen before


def find_moments(film: Film, most: int, on_progress: OnProgress) -> list[Chosen]:
    """At most so many moments of a film, the best first. MultitrainError where none is readable."""
    with FilmReader([film], small=SMALL) as reader:
        first = settled_frame(reader, on_progress).frame
        span = max(1, round(float(film.format.fps) * MOTION_SECONDS))
        found = list(_pairs(reader, first, span, on_progress))
    if not found:
        raise MultitrainError(f"{film.path}: no moment of it can be read")
    numbers, before, after = zip(*found, strict=True)
    chosen = choose(np.stack(before), np.stack(after), most)
    return [each._replace(place=numbers[each.place]) for each in chosen]


def choose(before: NDArray[np.uint8], after: NDArray[np.uint8], most: int) -> list[Chosen]:
    """Which of n moments, at most so many, the best first. Pure.

    `before` and `after`, (n, values) uint8, are small pictures of each, a little time apart, in the
    order of the film. The first is where most moves; each later one has the greatest product of
    motion and unlikeness to those before it.
    """
    count = len(before)
    motions, apart = unlikeness(before, after), -(-count // LEAST_SHARE)
    novelty = np.full(count, np.inf)
    is_near = np.zeros(count, bool)
    chosen: list[Chosen] = []
    while len(chosen) < most and not is_near.all():
        worth = np.where(is_near, -1.0, motions * (novelty if chosen else 1.0))
        place = int(worth.argmax())
        new = 0.0 if not chosen else float(novelty[place])
        chosen.append(Chosen(place, float(motions[place]), new))
        novelty = np.minimum(novelty, unlikeness(before, before[place : place + 1]))
        is_near[max(0, place - apart + 1) : place + apart] = True
    return chosen


def _pairs(
    reader: FilmReader, first: int, span: int, on_progress: OnProgress
) -> Iterator[tuple[int, NDArray[np.uint8], NDArray[np.uint8]]]:
    """Frames from `first` on, each with its small picture and that of `span` frames later.

    Damaged ones are passed over.
    """
    for number in sampled_numbers(reader, first, LOOKED_AT):
        on_progress(0)
        later = min(number + span, reader.frames - 1)
        with suppress(MultitrainError):
            yield number, reader[number].reshape(-1), reader[later].reshape(-1)

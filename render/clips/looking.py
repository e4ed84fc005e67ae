"""What a film is like, by a few of its frames: when it settles, its colours, its checkerboard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jobs.errors import MultitrainError
from jobs.settings.kinds import Resolution
from jobs.tinkering.earlier_jobs import job_in
from jobs.workspace.outputs import OutputName
from render.clips.checkerboard import LEAST_SIDE, grid_powers, in_decibels, luma
from render.clips.looping import SMALL
from render.clips.sampling import Settled, sampled_numbers, settled_frame
from render.encoding.watching import OnProgress
from render.files.reading import FilmReader
from render.shown.screen import over_black

MOST_FRAMES = (
    16  # that are measured: neighbours in a film are alike, so more would tell little more
)
LEVELS = 256


class Area(NamedTuple):
    """A part of a frame, in pixels."""

    x: int
    y: int
    width: int
    height: int

    def of(self, picture: NDArray[np.float64]) -> NDArray[np.float64]:
        """This part of a picture, (height, width)."""
        return picture[self.y : self.y + self.height, self.x : self.x + self.width]


class Layout(NamedTuple):
    """Where samples stand in a film: the size of each, and the film's corner in their grid."""

    cell: Resolution
    x: int = 0
    y: int = 0


@dataclass(frozen=True)
class FilmLook:
    """What was found; levels are in 0..255."""

    frames: int
    fps: Fraction
    size: Resolution
    samples: tuple[Area, ...]  # all of one size; where nothing tells them, the whole frame
    layout: Layout | None  # None: nothing tells it
    settled: Settled
    measured: int  # frames, evenly spaced from where the picture has settled to the end
    mean: tuple[float, ...]  # of red, green, blue
    deviation: tuple[float, ...]
    checkerboard: float | None  # in dB; None where samples are too small to tell

    @property
    def settled_seconds(self) -> float:
        return float(self.settled.frame / self.fps)


def look_at_film(
    files: Sequence[Path], cell: Resolution | None, on_progress: OnProgress
) -> FilmLook:
    """Look at one film, or its timecuts in their order.

    Its samples are of size `cell`; None: what its job's file or manifest tells. MultitrainError
    where the film cannot be read.
    """
    with FilmReader(files, small=SMALL) as reader:
        settled = settled_frame(reader, on_progress)
    with FilmReader(reader.films) as reader:
        layout = Layout(cell) if cell else layout_of(files[0], reader.size)
        samples = tuple(areas(reader.size, layout or Layout(reader.size)))
        is_large = min(samples[0].width, samples[0].height) >= LEAST_SIDE
        counts, measured, powers = np.zeros((3, LEVELS)), 0, []
        for picture in _settled_pictures(reader, settled.frame, on_progress):
            counts += [np.bincount(picture[..., n].ravel(), minlength=LEVELS) for n in range(3)]
            measured += 1
            if is_large:
                brightness = luma(picture)
                powers += [grid_powers(each.of(brightness)) for each in samples]
        return FilmLook(
            frames=reader.frames,
            fps=reader.format.fps,
            size=reader.size,
            samples=samples,
            layout=layout,
            settled=settled,
            measured=measured,
            **_moments(counts),
            checkerboard=in_decibels(np.sum(powers, axis=0)) if powers else None,
        )


def layout_of(file: Path, size: Resolution) -> Layout | None:
    """How samples stand in this video of that size, by its job; None where nothing tells.

    A loop that was scaled, say, has another size than its job's frames, and is not taken for one.
    """
    name = OutputName.parse(file.name)
    job = job_in(file.parent, name.job) if name else None
    if name is None or job is None or (name.box is not None) != job.plan.has_boxes:
        return None
    number = (name.box or 1) - 1
    if number >= len(job.plan.boxes):
        return None
    box = job.plan.boxes[number]
    if size not in {(box.width, box.height), (_even(box.width), _even(box.height))}:
        return None
    return Layout(job.cell, box.x, box.y)


def _even(side: int) -> int:
    """Of a video without odd sides: its last column, or row, stands twice."""
    return side + side % 2


def areas(size: Resolution, layout: Layout) -> Iterator[Area]:
    """The samples in a film of this size; where none is whole, the largest parts of them."""
    columns = _pieces(size.width, layout.cell.width, layout.x)
    rows = _pieces(size.height, layout.cell.height, layout.y)
    for (top, below), (left, right) in product(rows, columns):
        yield Area(left, top, right - left, below - top)


def _pieces(side: int, cell: int, offset: int) -> list[tuple[int, int]]:
    """The longest pieces, from where to where, that the borders of cells leave of a side."""
    borders = [0, *range(cell - offset % cell, side, cell), side]
    pieces = list(pairwise(borders))
    longest = max(end - start for start, end in pieces)
    return [(start, end) for start, end in pieces if end - start == longest]


def _settled_pictures(
    reader: FilmReader, settled: int, on_progress: OnProgress
) -> Iterator[NDArray[np.uint8]]:
    """Some frames from where the picture has settled on, in RGB. Damaged ones are passed over."""
    damaged = None
    count = 0
    for number in sampled_numbers(reader, settled, MOST_FRAMES):
        try:
            picture = over_black(reader[number])
        except MultitrainError as error:
            damaged = error
            continue
        count += 1
        on_progress(0)
        yield picture
    if damaged and not count:
        raise damaged


def _moments(counts: NDArray[np.float64]) -> dict[str, tuple[float, ...]]:
    """Mean and deviation of each channel, by how often it has each level: (3, 256)."""
    levels, shares = np.arange(LEVELS), counts / counts.sum(axis=1, keepdims=True)
    mean = shares @ levels
    deviation = np.sqrt(np.maximum(0, shares @ levels**2 - mean**2))
    return {"mean": tuple(mean.tolist()), "deviation": tuple(deviation.tolist())}

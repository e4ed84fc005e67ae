"""Pictures of flat areas that follow their edges: superpixels, each in its mean colour.

Achanta et al. 2012, "SLIC superpixels compared to state-of-the-art superpixel methods": k-means of
colours and places, each pixel compared with the nine centres around it. All pixels of a cell of the
grid on which centres begin have the same nine, so that a round is sums over cells, and cells that
are shifted: no engine needs to gather or scatter. Areas may fall apart: nothing joins them again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from keras import ops

from jobs.settings.colours import RGB
from multitrain.networks.colours import LAB_REACH, to_network
from multitrain.networks.making import blurred

FAR = 1e3  # where centres lie of cells beyond the picture, in each of their features
BLUR = 1.0  # deviation of the Gaussian before, in pixels: grain is no edge
LIGHTNESS = 50.0  # a network's lightness is from -1 to 1
AROUND = tuple(product((-1, 0, 1), repeat=2))  # rows and columns of cells


class Cells:
    """The grid of `areas` cells or so, of one size, on a picture; the last ones may stand over."""

    def __init__(self, height: int, width: int, areas: int) -> None:
        side = math.sqrt(height * width / areas)
        self.height, self.width = height, width
        self.rows, self.columns = (max(1, round(each / side)) for each in (height, width))
        self.cell = -(-height // self.rows), -(-width // self.columns)

    @property
    def side(self) -> float:
        """Of a cell, in pixels."""
        return math.sqrt(self.cell[0] * self.cell[1])

    def cut(self, pictures: Any) -> Any:
        """`(n, height, width, k)` as `(n, rows, y, columns, x, k)`; what stands over is 0."""
        (tall, wide), k = self.cell, pictures.shape[-1]
        below, right = self.rows * tall - self.height, self.columns * wide - self.width
        padded = ops.pad(pictures, [(0, 0), (0, below), (0, right), (0, 0)])
        return ops.reshape(padded, (-1, self.rows, tall, self.columns, wide, k))

    def joined(self, cells: Any) -> Any:
        """The reverse."""
        (tall, wide), k = self.cell, cells.shape[-1]
        whole = ops.reshape(cells, (-1, self.rows * tall, self.columns * wide, k))
        return whole[:, : self.height, : self.width]


def flat_areas(pictures: Any, rgb: Any, areas: int, compactness: float, rounds: int) -> Any:
    """The pictures `(n, height, width, k)`, each area in its mean.

    Areas follow the edges of `rgb`, `(n, height, width, 3)` in [-1, 1]. The larger the
    `compactness`, the more they keep to squares, as in the paper: how many units of CIE L*a*b* are
    as far as a cell. Nothing is to be learnt through it.
    """
    cells = Cells(pictures.shape[1], pictures.shape[2], areas)
    features = cells.cut(_features(rgb, compactness / cells.side))
    inside = cells.cut(ops.ones_like(pictures[..., :1]))
    begins, count = _means(features, inside, _all_at_home(inside))
    centres = ops.where(count > 0, begins, FAR)  # some cells may lie beyond the picture

    def moved(_: Any, centres: Any) -> Any:
        found, count = _means(features, inside, _nearest(features, centres))
        return ops.where(count > 0, found, centres)

    centres = ops.fori_loop(0, rounds, moved, centres)
    nearest = _nearest(features, centres)
    colours, _ = _means(cells.cut(pictures), inside, nearest)
    return cells.joined(_painted(colours, nearest))


def _features(rgb: Any, unit: float) -> Any:
    """Colour and place of each pixel, `(n, height, width, 5)`, in units of CIE L*a*b*."""
    levels = blurred(ops.clip((rgb[..., :RGB] + 1.0) * 127.5, 0.0, 255.0), BLUR)
    lab = to_network("lab", levels) * np.array([LIGHTNESS, LAB_REACH, LAB_REACH], np.float32)
    height, width = rgb.shape[1:3]
    places = np.indices((height, width)).transpose(1, 2, 0).astype(np.float32) * np.float32(unit)
    return ops.concatenate([lab, ops.zeros_like(lab[..., :2]) + places], axis=-1)


def _all_at_home(inside: Any) -> Any:
    """Of each pixel, the place among `AROUND` of its own cell."""
    return ops.cast(ops.zeros_like(inside[..., 0]) + AROUND.index((0, 0)), "int32")


def _nearest(features: Any, centres: Any) -> Any:
    """Of each pixel, which of the centres around it is nearest: a place among `AROUND`."""
    distances = [
        ops.sum(ops.square(features - _of_pixels(each)), axis=-1) for each in _around(centres, FAR)
    ]
    return ops.argmin(ops.stack(distances, axis=-1), axis=-1)


def _means(values: Any, inside: Any, nearest: Any) -> tuple[Any, Any]:
    """The mean of each area's values, `(n, rows, columns, k)`, and how many pixels it has."""
    with_count = ops.concatenate([values, ops.ones_like(inside)], axis=-1) * inside
    sums: Any = 0.0
    for place, (row, column) in enumerate(AROUND):
        own = ops.cast(nearest == place, "float32")[..., None]
        sums += _shifted(ops.sum(with_count * own, axis=(2, 4)), -row, -column, 0.0)
    count = sums[..., -1:]
    return sums[..., :-1] / ops.maximum(count, 1.0), count


def _painted(colours: Any, nearest: Any) -> Any:
    """Each pixel in the colour of its area."""
    made: Any = 0.0
    for place, each in enumerate(_around(colours, 0.0)):
        own = ops.cast(nearest == place, "float32")[..., None]
        made += own * _of_pixels(each)
    return made


def _around(cells: Any, beyond: float) -> Iterator[Any]:
    """Of each cell, those around it, in turn."""
    for row, column in AROUND:
        yield _shifted(cells, row, column, beyond)


def _shifted(cells: Any, row: int, column: int, beyond: float) -> Any:
    """Of each cell of `(n, rows, columns, k)`, the one so far from it."""
    rows, columns = cells.shape[1:3]
    padded = ops.pad(cells, [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=beyond)
    return padded[:, 1 + row : 1 + row + rows, 1 + column : 1 + column + columns]


def _of_pixels(cells: Any) -> Any:
    """For all pixels of each cell."""
    return cells[:, :, None, :, None]

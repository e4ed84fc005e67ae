"""Sizes of pictures and grids that fill a screen, and what a training makes of a data set."""

from __future__ import annotations

import math
from typing import NamedTuple

from jobs.settings.kinds import Resolution

SCREENS = (Resolution(1280, 720), Resolution(1920, 1080))
LEAST_SIDE, MOST_SIDE = 32, 320  # pixels: less shows little, more takes networks very long to learn
MOST_CELLS = 400
HALVINGS = 3  # that a network of usual depth does
STRETCHED = 0.02  # a change of proportions (natural logarithm) that nobody sees
FRAMES_PER_STEP = 2  # with `snapshot: update`, the default


class Grid(NamedTuple):
    """A grid of pictures of one size, which fills a screen exactly."""

    screen: Resolution
    columns: int
    rows: int

    @property
    def cell(self) -> Resolution:
        """The size of each picture in pixels."""
        return Resolution(self.screen.width // self.columns, self.screen.height // self.rows)

    def enlargement(self, size: Resolution) -> float:
        """How much pictures of `size` are scaled up to cover a cell; 1 where they are not."""
        return max(1.0, self.cell.width / size.width, self.cell.height / size.height)

    @property
    def halvings(self) -> int:
        """How often both sides can be halved without a remainder."""
        both = math.gcd(*self.cell)
        return (both & -both).bit_length() - 1


def best_grid(screen: Resolution, size: Resolution) -> Grid:
    """The best grid for pictures of `size`: scaled down or as they are, or else scaled up least.

    Proportions matter most, then that cells can be halved a few times, as networks do, then that
    they are large.
    """

    def worth(grid: Grid) -> tuple[int, int, int]:
        cell = grid.cell
        skew = abs(math.log(cell.width * size.height / (cell.height * size.width)))
        return (
            -round(skew / STRETCHED),
            min(grid.halvings, HALVINGS),
            cell.width * cell.height,
        )

    grids = [
        Grid(screen, columns, rows)
        for columns in _divisors(screen.width)
        for rows in _divisors(screen.height)
        if columns * rows <= MOST_CELLS
    ]
    fitting = [each for each in grids if _is_useful(each.cell, size)]
    if fitting:
        return max(fitting, key=worth)
    return min(grids, key=lambda grid: (grid.enlargement(size), *(-each for each in worth(grid))))


def frames_per_round(pictures: int, batch_size: int) -> int:
    """Frames of a film in which every picture is used once."""
    return math.ceil(pictures / batch_size) * FRAMES_PER_STEP


def _is_useful(cell: Resolution, size: Resolution) -> bool:
    """Whether nothing is scaled up, and the sides are neither short nor long."""
    least = min(LEAST_SIDE, *size)
    is_within = cell.width <= size.width and cell.height <= size.height
    return is_within and min(cell) >= least and max(cell) <= MOST_SIDE


def _divisors(number: int) -> list[int]:
    return [each for each in range(1, number + 1) if number % each == 0]

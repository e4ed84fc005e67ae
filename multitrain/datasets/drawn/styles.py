"""Pictures drawn by code, in several styles; each is a function of style, size, seed and number."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from jobs.settings.kinds import Resolution
from multitrain.datasets.drawn.flowing import draw_flames, draw_waves
from multitrain.datasets.drawn.landscapes import draw_landscape
from multitrain.datasets.drawn.painting import Canvas, Colour, Pixels, averaged
from multitrain.datasets.drawn.solid import draw_cells, draw_shapes

MIX = "mix"  # each style in turn
LANDSCAPES = "landscapes"
PAINTERS: dict[str, Callable[[np.random.Generator, Canvas], Colour]] = {
    "waves": draw_waves,
    "cells": draw_cells,
    "flames": draw_flames,
    "shapes": draw_shapes,
}
STYLES = (*PAINTERS, LANDSCAPES)
SEEDS = 2**63  # of a landscape


class Drawing(NamedTuple):
    """A picture that could be drawn."""

    style: str  # of STYLES, or MIX
    size: Resolution
    seed: int
    number: int

    @property
    def own_style(self) -> str:
        """The style that is drawn, one of STYLES."""
        return STYLES[self.number % len(STYLES)] if self.style == MIX else self.style

    @property
    def file_name(self) -> str:
        return f"{self.own_style}_{self.number:06d}.png"

    def pixels(self) -> Pixels:
        """`(height, width, 3)` uint8; the same on one machine every time, nearly so on others."""
        style = self.own_style
        random = np.random.default_rng([STYLES.index(style), self.seed, self.number])
        if style == LANDSCAPES:
            return draw_landscape(int(random.integers(SEEDS)), *self.size)
        return averaged(PAINTERS[style](random, Canvas.of(*self.size)))

    def save_in(self, folder: Path) -> None:
        """Save it in `folder`, as a PNG file called `file_name`."""
        Image.fromarray(self.pixels()).save(folder / self.file_name)

"""What random draws are for, alike on all engines."""

from __future__ import annotations

import enum


class Stream(enum.IntEnum):
    """What a draw is for; draws of different streams are independent."""

    GRID = 0
    LATENTS = 1
    PICTURES = 2
    MIXING = 3
    WINDOWS = 4
    SETS = 5

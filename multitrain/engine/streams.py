"""What random draws are for, alike on all engines."""

from __future__ import annotations

import enum
from zlib import crc32


class Stream(enum.IntEnum):
    """What a draw is for; draws of different streams are independent."""

    GRID = 0
    LATENTS = 1
    PICTURES = 2
    MIXING = 3
    WINDOWS = 4
    SETS = 5


_OF_FAMILIES = 2**30  # from here on: streams by name


def stream_of(chance: str) -> int:
    """The stream of a model's chance of this name."""
    own = Stream.__members__.get(chance.upper())
    return int(own) if own is not None else _OF_FAMILIES + crc32(chance.encode()) % _OF_FAMILIES


def stream_of_samples(name: str) -> int:
    """The stream of what frames show."""
    return int(Stream.GRID) if name == "latents" else stream_of(f"shown {name}")

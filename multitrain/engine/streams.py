"""What random draws are for, alike on all engines."""

from __future__ import annotations

import enum
from zlib import crc32

from jobs.families.feed import PICTURES


class Stream(enum.IntEnum):
    """What a draw is for; draws of different streams are independent."""

    GRID = 0
    LATENTS = 1
    PICTURES = 2
    MIXING = 3
    WINDOWS = 4
    SETS = 5


# Streams of a model's chance by its name. Those of other names begin behind all others.
_BY_NAME = {"latents": Stream.LATENTS, "mixing": Stream.MIXING}
_FIRST_NAMED = 2**30
TAKEN = {stream.name.lower() for stream in Stream} - set(_BY_NAME)


def stream_of(chance: str) -> int:
    """The stream of a model's chance of this name."""
    known = _BY_NAME.get(chance)
    return _FIRST_NAMED + crc32(chance.encode()) % _FIRST_NAMED if known is None else int(known)


def stream_of_feed(feed: str, stream: Stream) -> int:
    """What `stream` is to a feed of this name."""
    return int(stream) if feed == PICTURES else stream_of(f"{stream.name.lower()} of {feed}")


def stream_of_samples(name: str) -> int:
    """The stream of what frames show."""
    return int(Stream.GRID) if name == "latents" else stream_of(f"shown {name}")

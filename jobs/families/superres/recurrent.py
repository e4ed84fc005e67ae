"""A network that enlarges videos and remembers what it saw: what goes in, what comes out. Pure.

It is given three frames in a row, what it made of the one before, and what it has kept; it makes
the details of the middle one, and what it keeps. Nothing is warped: convolutions find what has
moved. It streams, a frame late.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

from jobs.families.superres.nets import NETS
from jobs.settings.colours import CHANNELS
from jobs.settings.spec import JobSpec

SEEN_AT_ONCE = 3  # frames: the one before, itself, and the one after


class Maps(NamedTuple):
    """Channels of maps as large as the low pictures.

    - colours: of one of these.
    - squares: of a high picture, each square of whose pixels stands in one place.
    - kept: of what goes on from frame to frame besides.
    """

    colours: int
    squares: int
    kept: int

    @classmethod
    def of(cls, spec: JobSpec) -> Self:
        colours = CHANNELS[spec.colour_model].network
        features = spec.features or NETS[spec.net].features
        return cls(colours, colours * spec.scale**2, features)

    @property
    def given(self) -> int:
        """Channels of what the network is given."""
        return SEEN_AT_ONCE * self.colours + self.memory

    @property
    def memory(self) -> int:
        """Channels of what goes on from a frame to the next: all that the network makes."""
        return self.squares + self.kept


def neighbours(place: int, frames: int) -> Sequence[int]:
    """The frames that are seen for one of so many: at both ends, the outermost one stands twice."""
    return max(place - 1, 0), place, min(place + 1, frames - 1)

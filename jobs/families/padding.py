"""Sizes that pictures are padded to, so that they can be halved as often as a network does."""

from __future__ import annotations

from jobs.settings.kinds import Resolution


def padded(width: int, height: int, halvings: int) -> Resolution:
    """The smallest size, as large as a picture, that can be halved so often."""
    whole = 1 << halvings
    return Resolution(-(-width // whole) * whole, -(-height // whole) * whole)

"""Operations and sizes of what ours is measured beside."""

from __future__ import annotations

from jobs.families.layer import PER_PRODUCT


def of_product(size: int) -> int:
    """Of two square matrices with so many rows."""
    return PER_PRODUCT * size**3


def halved(size: int, times: int) -> int:
    """Pixels after so many convolutions of stride 2."""
    return int(-(-size // 2**times))

"""Numbers as people read them."""

from __future__ import annotations

UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def bytes_for_people(count: float) -> str:
    """`1.5 GiB`, `51 MiB`, `7 B`."""
    power = 0
    while count >= 1023.5 and power < len(UNITS) - 1:
        count, power = count / 1024, power + 1
    digits = 1 if power and count < 9.95 else 0
    return f"{count:.{digits}f} {UNITS[power]}"

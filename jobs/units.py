"""Numbers as people read them."""

from __future__ import annotations

import re
from datetime import timedelta

LONGEST = 1e12  # seconds; Python's `timedelta` ends not far beyond
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def bytes_for_people(count: float) -> str:
    """`1.5 GiB`, `51 MiB`, `7 B`."""
    power = 0
    while count >= 1023.5 and power < len(UNITS) - 1:
        count, power = count / 1024, power + 1
    digits = 1 if power and count < 9.95 else 0
    return f"{count:.{digits}f} {UNITS[power]}"


def duration(seconds: float) -> str:
    """`0:03:15`, `2 days, 1:00:00`; what is longer than `LONGEST` is shown as `LONGEST`."""
    return str(timedelta(seconds=round(min(seconds, LONGEST))))


def clock(seconds: float) -> str:
    """A moment of a film, in minutes and seconds: `0:39.5`, `75:00.0`."""
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:04.1f}"


def by_numbers(name: str) -> list[tuple[int, str]]:
    """A key by which `frame2` comes before `frame10`, as people count."""
    parts = re.findall(r"\d+|\D+", name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]

"""The hours of the day in which a farm works: `22:00-08:00`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from typing import Self

_HOURS = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*-\s*(\d{1,2})(?::(\d{2}))?")


@dataclass(frozen=True)
class Hours:
    """From `start` until `end`, of the next day where that is not later."""

    start: time
    end: time

    @classmethod
    def parse(cls, text: str) -> Self:
        """ValueError, with a sentence, where the text names no hours."""
        found = _HOURS.fullmatch(text.strip())
        try:
            numbers = [int(part or 0) for part in found.groups()] if found else []
            start, end = (time(hour % 24, minute) for hour, minute in _pairs(numbers))
            if max(numbers[::2]) > 24 or start == end:
                raise ValueError
        except ValueError:
            raise ValueError(f"{text!r} names no hours; write 22:00-08:00, say") from None
        return cls(start, end)

    def include(self, moment: time) -> bool:
        """Whether a farm works at this time of the day."""
        if self.start < self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end

    @property
    def advice(self) -> str:
        """Why nothing is trained at other times, and how long."""
        return f"the farm trains {self} only (--hours); jobs wait until {self.start:%H:%M}"

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"


def _pairs(numbers: list[int]) -> list[tuple[int, int]]:
    return list(zip(numbers[::2], numbers[1::2], strict=True))

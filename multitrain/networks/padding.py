"""Pictures that are made larger by their reflection, and cut back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from keras import ops

from jobs.settings.kinds import Resolution


def reflected(pictures: Any, beyond: Sequence[tuple[int, int]]) -> Any:
    """So many more rows and columns of `(n, height, width, channels)`, before and after each."""
    if not any(map(any, beyond)):
        return pictures
    return ops.pad(pictures, [(0, 0), *beyond, (0, 0)], "reflect")


@dataclass(frozen=True)
class Cut:
    """Pictures that are `padded` on all sides, and where they lie in what is made of these."""

    padded: Any
    top: int
    left: int
    height: int
    width: int

    @classmethod
    def of(cls, pictures: Any, size: Resolution) -> Self:
        """Pictures `(n, height, width, channels)`, padded to this size."""
        height, width = pictures.shape[1:3]
        missing = (size.height - height, size.width - width)
        beyond = [(each // 2, each - each // 2) for each in missing]
        return cls(reflected(pictures, beyond), beyond[0][0], beyond[1][0], height, width)

    def back(self, made: Any, times: int = 1) -> Any:
        """The part that belongs to the pictures of what was made, so many `times` as large."""
        rows = slice(times * self.top, times * (self.top + self.height))
        return made[:, rows, times * self.left : times * (self.left + self.width)]

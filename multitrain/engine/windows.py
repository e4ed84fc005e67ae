"""Which part of each picture a step sees, and which way round: plain array maths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from keras import ops

from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import Preprocessing

SHARES = 3  # that place a window: down, to the right, and whether it is mirrored


@dataclass(frozen=True)
class Window:
    """A part of `size` that is cut out of pictures as large as `picture`, at places by chance."""

    picture: Resolution
    size: Resolution
    flip: bool  # mirror half of the parts left to right

    @classmethod
    def of(cls, preprocessing: Preprocessing, picture: Resolution) -> Self | None:
        """The window; None where pictures as large as `picture` are seen whole, and as they are."""
        size = preprocessing.seen(picture)
        if size == picture and not preprocessing.flip:
            return None
        return cls(picture, size, preprocessing.flip)

    def seen(self, scale: int = 1) -> Resolution:
        """The size of the window in pictures that are `scale` times as large."""
        return Resolution(self.size.width * scale, self.size.height * scale)

    def middle(self, scale: int = 1) -> tuple[int, int]:
        """Row and column where the window begins in the middle of pictures so much larger."""
        top, left = self.picture.height - self.size.height, self.picture.width - self.size.width
        return top // 2 * scale, left // 2 * scale

    def pixels(self, shares: Any, scale: int = 1) -> tuple[Any, Any]:
        """The pixels in the window: rows `(..., height)` and columns `(..., width)`, int32.

        `shares` are `(3, ...)` float32 in [0, 1); where they are uniform, so are the window's
        places. In pictures that are `scale` times as large, the window is as well.
        """
        down, right, turn = shares[0], shares[1], shares[2]
        top = scale * _one_of(self.picture.height - self.size.height + 1, down)
        left = scale * _one_of(self.picture.width - self.size.width + 1, right)
        seen = self.seen(scale)
        rows = top + ops.arange(seen.height, dtype="int32")
        columns = ops.arange(seen.width, dtype="int32")
        if self.flip:
            is_mirrored = ops.expand_dims(turn < 0.5, -1)
            columns = ops.where(is_mirrored, seen.width - 1 - columns, columns)
        return rows, left + columns


def _one_of(places: int, shares: Any) -> Any:
    """Whole numbers in [0, places), `(..., 1)` int32, from `shares` in [0, 1).

    A float below 1, times `places`, is still below `places`.
    """
    return ops.expand_dims(ops.cast(ops.floor(shares * places), "int32"), -1)

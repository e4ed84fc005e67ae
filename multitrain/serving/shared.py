"""Answers that several open pages ask for at about the same time: made once for all of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable

SECONDS = 0.5  # so long an answer is new enough
MOST = 64  # that are kept


class Shared:
    """Answers by what was asked, and by all else that they depend on but time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` returns seconds and only goes forward."""
        self._clock = clock
        self._kept: dict[Hashable, tuple[bytes, float]] = {}

    def get(self, key: Hashable) -> bytes | None:
        """An answer that was made a moment ago; None where there is none."""
        body, made_at = self._kept.get(key, (None, 0.0))
        return body if body is not None and self._clock() - made_at < SECONDS else None

    def keep(self, key: Hashable, body: bytes) -> None:
        """Keep an answer, which is as old as it was if it is kept already."""
        if self.get(key) is None:
            if len(self._kept) >= MOST:
                self._kept.clear()
            self._kept[key] = body, self._clock()

"""What is held against slots: that a job failed on them, by their fault as it seems.

Such a slot is set aside for a while, which costs little where the job was to blame. What is held
against it stays longer, until a job does well on it: who fails there once more may be to blame.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from multitrain.slots import Slot

SET_ASIDE_SECONDS = 600.0


@dataclass(frozen=True)
class _Failure:
    at: float
    reason: str


class Blame:
    """By slot, the last failure. `now` is in seconds of a clock that only goes forward."""

    def __init__(self) -> None:
        self._failures: dict[str, _Failure] = {}

    def put_on(self, slots: Sequence[Slot], reason: str, now: float) -> None:
        for slot in slots:
            self._failures[slot.id] = _Failure(now, reason)

    def lift(self, slots: Sequence[Slot]) -> None:
        for slot in slots:
            self._failures.pop(slot.id, None)

    def is_on(self, slot: Slot) -> bool:
        return slot.id in self._failures

    def since(self, slot: Slot) -> float:
        """When it was put on last; minus infinity where nothing is held against the slot."""
        return self._failures[slot.id].at if self.is_on(slot) else float("-inf")

    def sets_aside(self, slot: Slot, now: float) -> str | None:
        """For how long still and why, for people; None where the slot may be offered."""
        seconds = self.since(slot) + SET_ASIDE_SECONDS - now
        if seconds <= 0:
            return None
        return f"set aside for {math.ceil(seconds / 60)} min: {self._failures[slot.id].reason}"

"""Slots on which a job failed, by the slot's fault as it seems.

Such a slot is set aside for a while, which costs little where the job was to blame. Its failure is
remembered longer, until a job does well on it: a job that fails there, too, may itself be to blame.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from multitrain.slots.slots import Slot

SET_ASIDE_SECONDS = 600.0


@dataclass(frozen=True)
class _Failure:
    at: float
    reason: str


class GpuFailures:
    """The last failure of each slot. `now` is in seconds of a clock that only goes forward."""

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
        """When a job failed on the slot last; minus infinity where no failure is remembered."""
        return self._failures[slot.id].at if self.is_on(slot) else float("-inf")

    def sets_aside(self, slot: Slot, now: float) -> str | None:
        """For how long the slot is still set aside, and why, for people; None where it is not."""
        seconds = self.since(slot) + SET_ASIDE_SECONDS - now
        if seconds <= 0:
            return None
        return f"set aside for {math.ceil(seconds / 60)} min: {self._failures[slot.id].reason}"

"""What is made ready for the jobs that come next, while others train.

Nothing waits for it and nothing depends on it: where it fails, a job only begins later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from multitrain.farm.active_job import ActiveJob


@dataclass(frozen=True)
class Prospect:
    """What a farm trains now, and what comes next."""

    running: Sequence[ActiveJob]
    queued: Sequence[ActiveJob]  # in the order of their turns
    is_calm: bool  # no job is just starting: it would have to share its cores


class Preparation(Protocol):
    """Makes one kind of thing ready. `now` is in seconds of a clock that only goes forward."""

    def prepare(self, prospect: Prospect, now: float) -> None:
        """Do what is due. Never raises, and never waits."""

    def end(self, now: float) -> None:
        """End all that was begun; nothing new is wanted."""

    def is_idle(self, now: float) -> bool:
        """Whether none of its processes is left, or only those that cannot be ended."""

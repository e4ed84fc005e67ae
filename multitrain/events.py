"""What happens in a farm, for whoever shows it."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Happening(enum.Enum):
    """Kinds of events."""

    STARTED = "started"
    PUBLISHED = "published"
    TRAINED = "trained"
    DRAINED = "drained"
    RETRIED = "retried"
    FAILED = "failed"
    DONE = "done"


@dataclass(frozen=True)
class Event:
    """One happening of a job, in a line for people."""

    happening: Happening
    job: str
    text: str


@dataclass(frozen=True)
class JobView:
    """A job that is training or rendering, as a progress bar shows it."""

    name: str
    state: str
    slot: str
    frames_done: int
    frames_total: int
    frames_per_second: float

    @property
    def seconds_left(self) -> float | None:
        """Until all frames are there; None while the speed is not known."""
        if self.frames_per_second <= 0:
            return None
        return (self.frames_total - self.frames_done) / self.frames_per_second

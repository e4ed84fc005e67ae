"""What happens in a farm, for whoever shows it."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from multitrain.forecasts.forecasting import Forecast


class Happening(enum.Enum):
    """Kinds of events."""

    STARTED = "started"
    PUBLISHED = "published"
    TRAINED = "trained"
    DRAINED = "drained"
    HELD_UP = "held up"
    FELL_SHORT = "fell short"  # done, but not as it was asked for
    RETRIED = "retried"
    FAILED = "failed"
    DONE = "done"
    STEERED = "steered"  # as its user asked
    TROUBLE = "trouble"  # of the whole farm; it goes on
    RELIEVED = "relieved"  # the trouble is over


@dataclass(frozen=True)
class Event:
    """One happening of a job, or of the whole farm where `job` is empty, in a line for people."""

    happening: Happening
    job: str
    text: str

    def __str__(self) -> str:
        return f"{self.job}: {self.text}" if self.job else self.text


class Troubles:
    """Troubles of the whole farm: each is reported when it begins, changes and is over."""

    def __init__(self) -> None:
        self._reported: dict[str, str] = {}

    def tell(self, what: str, trouble: str, relief: str) -> list[Event]:
        """The events to show now that `what` has this `trouble`; an empty text means none."""
        before = self._reported.get(what, "")
        self._reported[what] = trouble
        if trouble and trouble != before:
            return [Event(Happening.TROUBLE, "", f"{what}: {trouble}")]
        if before and not trouble:
            return [Event(Happening.RELIEVED, "", f"{what}: {relief}")]
        return []


@dataclass(frozen=True)
class StepsView:
    """How many steps are done, of how many, and how fast they are; 0 while that is not known."""

    done: int
    total: int
    per_second: float


@dataclass(frozen=True)
class JobView:
    """A job that is training or rendering, as a progress bar shows it.

    `steps` are told of jobs that have steps which make no frame.
    """

    name: str
    state: str
    slot: str
    frames_done: int
    frames_total: int
    frames_per_second: float
    steps: StepsView | None = None
    left: Forecast | None = None  # until its film is there; None while nothing is known of it

"""How long a training may take to its next step, and how often a job may fail. Pure."""

from __future__ import annotations

from jobs.settings.lengths import minutes_told
from jobs.workspace.paths import CheckpointName

FIRST_STEP = 3  # times as long: pictures are decoded, networks compiled
ASLEEP_SECONDS = 10.0  # between two looks: nobody could work, or nobody could be seen to
LOOK_SECONDS = 5.0  # between two looks at a rendering that may have nothing to do
RETRY_SECONDS = 5.0  # a second failure in a row waits so long, a third one twice that, and on


class StallWatch:
    """Finds out from the number of the newest step whether a training is stuck.

    Steps, not frames: many steps may be trained before the film begins, and between two frames.
    """

    def __init__(self, seconds: float, step: int, now: float) -> None:
        """A try begins at `now`, in seconds; `step` is the last one reported before it."""
        self._seconds = seconds
        self._step = step
        self.has_begun = False  # there is a new step
        self._alive_at = now

    def saw(self, step: int, now: float) -> None:
        """The trainer's newest step is `step`; frames of walks are counted on from the last."""
        if step != self._step:
            self._alive_at = now
            self.has_begun |= step > self._step  # not where it only went back to a checkpoint
            self._step = step

    def excuse(self, now: float) -> None:
        """The training could not go on until `now`, by no fault of its own."""
        self._alive_at = now

    def slept(self, seconds: float) -> None:
        """Do not count `seconds` in which nobody could work, or nobody could be seen to."""
        self._alive_at += seconds

    def is_slow(self, now: float) -> bool:
        """Whether half of the time is over: late enough to look for an excuse."""
        return now - self._alive_at > self.limit / 2

    def is_stuck(self, now: float) -> bool:
        return now - self._alive_at > self.limit

    @property
    def complaint(self) -> str:
        """What is wrong with a stuck training, for people."""
        limit = minutes_told(self.limit / 60)
        return (
            f"no progress for {limit}"
            if self.has_begun
            else f"no progress within {limit} of its start"
        )

    @property
    def limit(self) -> float:
        """Seconds that may pass without a new step."""
        return self._seconds * (1 if self.has_begun else FIRST_STEP)


class IdleWatch:
    """Finds out, by looks now and then, whether a rendering has had nothing to do for too long."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._idle_since: float | None = None
        self._looked_at = float("-inf")

    def may_look(self, now: float) -> bool:
        """Whether the last look is long enough ago: each lists folders."""
        return now - self._looked_at >= LOOK_SECONDS

    def saw(self, is_idle: bool, now: float) -> None:
        """A look at `now`, in seconds, has found the rendering idle or not."""
        gap, self._looked_at = now - self._looked_at, now
        if not is_idle:
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = now
        elif gap > LOOK_SECONDS + ASLEEP_SECONDS:
            self._idle_since += gap

    def is_stuck(self, now: float) -> bool:
        return self._idle_since is not None and now - self._idle_since > self._seconds


class Tries:
    """Failures in a row: a job that gets further each time is never given up."""

    def __init__(self, retries: int) -> None:
        self._retries = retries
        self._failures = 0
        self._reached: CheckpointName | None = None
        self._not_before = float("-inf")

    def failed(self, reached: CheckpointName | None, now: float) -> None:
        """A try has failed that had `reached` as its newest checkpoint."""
        further = reached is not None and (self._reached is None or reached > self._reached)
        self._reached = reached
        self._failures = 1 if further else self._failures + 1
        self._not_before = now + RETRY_SECONDS * (self._failures - 1)

    @property
    def left(self) -> int:
        """How many more tries may follow."""
        return self._retries - self._failures + 1

    def may_start(self, now: float) -> bool:
        """Whether the pause after the last failure is over at `now`."""
        return now >= self._not_before

"""The states of a job and the one table of transitions between them."""

from __future__ import annotations

import enum


class State(enum.StrEnum):
    """Where a job stands."""

    QUEUED = "queued"  # waits for a slot
    RUNNING = "running"  # its trainer holds a slot
    RENDERING = "rendering"  # trained; the film is being finished
    DONE = "done"  # the film is there, every frame of it
    FAILED = "failed"  # gave up; the reason is kept
    CANCELLED = "cancelled"  # taken back by the user; its trainer may still be stopping
    PAUSED = "paused"  # held back by the user; the same

    @property
    def ended(self) -> bool:
        return self in (State.DONE, State.FAILED, State.CANCELLED)

    def may_become(self, other: State) -> bool:
        """Whether the table of transitions has this move; to stay is always allowed."""
        return other is self or other in TRANSITIONS[self]


TRANSITIONS: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset(
        # Rendering: it was trained, and what is missing, such as a walk, cannot be made.
        {State.RUNNING, State.RENDERING, State.PAUSED, State.CANCELLED, State.FAILED}
    ),
    State.RUNNING: frozenset(
        {State.QUEUED, State.RENDERING, State.FAILED, State.PAUSED, State.CANCELLED}
    ),
    State.RENDERING: frozenset({State.DONE, State.FAILED, State.CANCELLED, State.QUEUED}),
    State.DONE: frozenset({State.QUEUED}),  # --fresh
    State.FAILED: frozenset({State.QUEUED}),  # submitted again
    State.CANCELLED: frozenset({State.QUEUED}),
    # Rendering, failed: so its trainer ended before it could stop.
    State.PAUSED: frozenset({State.QUEUED, State.CANCELLED, State.RENDERING, State.FAILED}),
}

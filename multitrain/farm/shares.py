"""Fair shares: where jobs of several owners wait, all owners get as much slot time. Pure."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

from multitrain.farm.active_job import ActiveJob

# A slot counts for so many seconds when it is given, or one owner would get all that are free now.
AHEAD_SECONDS = 60.0


class Shares:
    """How many slot seconds each owner has had. Times are in seconds of the farm's clock."""

    def __init__(self) -> None:
        self._used: dict[str, float] = {}
        self._active: set[str] = set()
        self._looked_at: float | None = None

    def look(self, at_work: Iterable[ActiveJob], waiting: Iterable[str], now: float) -> None:
        """Count the time since the last look; `waiting` are the owners of queued jobs.

        An owner who comes, or comes back, begins with as much as the one who has had least: what
        was not asked for is not saved up.
        """
        seconds = 0.0 if self._looked_at is None else now - self._looked_at
        self._looked_at = now
        held = _held(at_work)
        for owner, slots in held.items():
            self._used[owner] = self._used.get(owner, 0.0) + slots * seconds
        active = {*waiting, *held}
        least = min((self._used[each] for each in self._active & active), default=0.0)
        for owner in active - self._active:
            self._used[owner] = max(self._used.get(owner, 0.0), least)
        self._active = active

    def in_order(
        self, queued: Sequence[ActiveJob], at_work: Mapping[str, ActiveJob]
    ) -> Iterator[ActiveJob]:
        """The `queued` jobs, which come by priority, in the order in which they may start.

        `at_work` is looked at anew before each: the job before may have started.
        """
        by_priority: dict[int, dict[str, deque[ActiveJob]]] = {}
        for job in queued:
            of_owner = by_priority.setdefault(job.priority, {})
            of_owner.setdefault(owner_of(job), deque()).append(job)
        for waiting in by_priority.values():
            while waiting:
                held = _held(at_work.values())
                owner = min(waiting, key=lambda each: self._rank(each, held[each]))
                yield waiting[owner].popleft()
                if not waiting[owner]:
                    del waiting[owner]

    def _rank(self, owner: str, held: int) -> float:
        return self._used.get(owner, 0.0) + AHEAD_SECONDS * held


def owner_of(job: ActiveJob) -> str:
    """Whose job it is; jobs without an owner have one together."""
    return job.file.spec.owner or ""


def _held(at_work: Iterable[ActiveJob]) -> Counter[str]:
    """Slots by owner."""
    held: Counter[str] = Counter()
    for job in at_work:
        held[owner_of(job)] += job.file.spec.gpus
    return held

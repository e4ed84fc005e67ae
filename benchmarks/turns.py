"""Contenders that take turns, so that whatever else the machine does hits all of them alike.

Each round, every contender has one turn; every other round goes backwards. What is compared is the
ratio within a round, and the median of those ratios over the rounds.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

SETTLE_SECONDS = 0.3  # before a turn: threads of the one before may still spin, awaiting work

Contender = Callable[[int], float]  # does an amount of work; the seconds that it took


@dataclass(frozen=True)
class Rounds:
    """Seconds per unit of work, by contender, one for each round."""

    seconds: Mapping[str, Sequence[float]]

    def median(self, name: str) -> float:
        """Seconds per unit."""
        return statistics.median(self.seconds[name])

    def rate(self, name: str) -> float:
        """Units per second."""
        return 1 / self.median(name)

    def speedup(self, name: str, over: str) -> float:
        """How many times as fast `name` is: the median of the rounds' ratios."""
        pairs = zip(self.seconds[over], self.seconds[name], strict=True)
        return statistics.median(theirs / ours for theirs, ours in pairs)

    def fastest(self, names: Iterable[str]) -> str:
        """The one with the least median."""
        return min(names, key=self.median)


def take_turns(
    contenders: Mapping[str, Contender],
    amounts: Mapping[str, int],
    rounds: int,
    settle: float = SETTLE_SECONDS,
) -> Rounds:
    """Every contender does its amount once a round."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    order = list(contenders)
    for _ in range(rounds):
        for name in order:
            time.sleep(settle)
            seconds[name].append(contenders[name](amounts[name]) / amounts[name])
        order.reverse()
    return Rounds(seconds)


def amounts_for(contenders: Mapping[str, Contender], seconds: float) -> dict[str, int]:
    """How much each can do in about so many seconds, by one turn of a unit that is thrown away."""
    return {name: max(1, round(seconds / take(1))) for name, take in contenders.items()}


def timed(work: Callable[[], object]) -> Contender:
    """A contender in this process: `work` is a unit."""

    def take(amount: int) -> float:
        start = time.perf_counter()
        for _ in range(amount):
            work()
        return time.perf_counter() - start

    return take

"""Kills at random moments, and what they cost: `python -m benchmarks.faults --rounds N --seed S`.

Nights of a small farm (`benchmarks.farmyard`) whose processes are ended by SIGKILL: the farm, a
trainer, the render worker, an ffmpeg, or many at once. When the farm was among them the same
command is started again. After each night every frame of every video is decoded and compared with
those of a night that nobody disturbed, and what should not be there any more is looked for. The
workspace of a night that was not clean stays for whoever wants to know why.

With `--steer`, as many requests as kills are sent in between: jobs are paused, resumed, cancelled,
queued again, put first and submitted once more, and farms told to drain.
"""

from __future__ import annotations

import shutil
import sys
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import chain
from pathlib import Path
from random import Random

from benchmarks import campaigns, reports
from benchmarks.farmyard import Farmyard, rows
from benchmarks.inspection import Damage, Undisturbed, inspect
from benchmarks.nights import REQUEST, TARGETS, Night

KILLS_PER_NIGHT = (3, 7)  # at least, at most


@dataclass
class Results:
    """Of all nights."""

    kills: Counter[str] = field(default_factory=Counter)
    damage: Damage = field(default_factory=Damage)
    nights: int = 0

    @property
    def told(self) -> str:
        kills = self.kills.total() - self.kills[REQUEST]
        return f"{kills} kills in {self.nights} nights"

    @property
    def clean(self) -> bool:
        return self.damage == Damage()

    def for_machines(self) -> dict[str, object]:
        return {"nights": self.nights, "kills": dict(self.kills), "damage": asdict(self.damage)}


class Campaign:
    """Nights with this sheet in yards below `folder`, each beside one that nobody disturbs."""

    def __init__(
        self, folder: Path, sheet: Sequence[str], seed: int, *, steers: bool = False
    ) -> None:
        self.results = Results()
        self._steers = steers
        self._folder, self._sheet = folder, sheet
        self._random = Random(seed)
        reports.tell("a night that nobody disturbs")
        with Farmyard(folder / "undisturbed", sheet) as yard:
            Night(yard, self._random, reports.tell).live_through(deque())
            self._undisturbed = Undisturbed.of(yard)

    def run(self, rounds: int) -> None:
        """So many kills, in as many nights as it takes."""
        targets = deque(_targets(rounds, self._random))
        if self._steers:
            targets = deque(chain.from_iterable((REQUEST, target) for target in targets))
        while targets:
            most = self._random.randint(*KILLS_PER_NIGHT)
            tonight = deque(targets.popleft() for _ in range(min(most, len(targets))))
            self._night(tonight)
            targets.extendleft(reversed(tonight))  # those that it ended before

    def _night(self, targets: deque[str]) -> None:
        """One more night, with kills from the left of `targets`."""
        results = self.results
        results.nights += 1
        with Farmyard(self._folder / f"night{results.nights:04d}", self._sheet) as yard:
            night = Night(yard, self._random, reports.tell)
            night.live_through(targets)
            damage = inspect(yard, self._undisturbed, night.published, reports.tell)
        damage = replace(damage, runs_failed=night.runs_failed)
        results.kills += night.kills
        results.damage += damage
        told = ", ".join(f"{target} {count}" for target, count in night.kills.items())
        reports.tell(
            f"night {results.nights}, {results.kills.total()} kills so far: {told or 'none'}"
        )
        if damage == Damage():
            shutil.rmtree(yard.root)
        else:
            reports.tell(f"night {results.nights} was not clean; see {yard.root}")


def _targets(rounds: int, random: Random) -> Iterator[str]:
    """All equally often, in an order that changes."""
    while rounds > 0:
        turn = random.sample(TARGETS, len(TARGETS))
        yield from turn[:rounds]
        rounds -= len(turn)


def report(results: Results) -> str:
    """The table."""
    kills = [(f"kills: {target}", results.kills[target], "-") for target in TARGETS]
    if asked := results.kills[REQUEST]:
        kills.append(("requests", asked, "-"))
    counts = [(what, count, "0") for what, count in results.damage.counts().items()]
    return reports.table(("what", "count", "limit"), kills + counts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1 where anything was lost, doubled, left over or damaged."""
    return campaigns.conduct(
        "faults",
        __doc__,
        lambda folder, seed, steer: Campaign(folder, rows(), seed, steers=steer),
        report,
        arguments,
        (200, "kills"),
        {"steer": "as many requests to the farm as kills"},
    )


if __name__ == "__main__":
    sys.exit(main())

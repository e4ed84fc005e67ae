"""Jobs that start over while they are killed: `python -m benchmarks.fresh --rounds N --seed S`.

A workspace whose jobs are done gets a sheet with another row, `multitrain run --fresh JOB` is
started, and processes are ended by SIGKILL at random moments. After each kill every file of the old
film must be found: in its place, or below `renders/earlier/`. Then the sheet goes on, without
`--fresh`, until it is done: the new film must be the one of a night that nobody disturbed, the old
one must be kept whole, and the other job must be as it was.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from benchmarks import campaigns, reports
from benchmarks.aftermath import Example
from benchmarks.films import digest_of_file
from benchmarks.fresh_nights import (
    ANOTHER,
    TARGETS,
    FreshNight,
    kept_earlier,
    lost,
    sheet_with_others,
)
from benchmarks.harms import Moment, owner
from benchmarks.scenes import CARDS, Stage
from benchmarks.verdicts import Condition
from jobs.workspace.files import PART

KILLS_PER_NIGHT = (3, 5)  # at least, at most

LOST = "old files lost at a kill"
NOT_KEPT = "old files not kept in the end"
NOT_NEW = "new films that differ"
OTHERS = "files of the other job changed"
LEFT = "files left that were on their way"
ORPHANS = "orphans"
FAILED = "runs failed"
WRONG = (LOST, NOT_KEPT, NOT_NEW, OTHERS, LEFT, ORPHANS, FAILED)


@dataclass
class Results:
    """Of all nights; `wrong` counts what must not be."""

    kills: Counter[str] = field(default_factory=Counter)
    nights: int = 0
    wrong: Counter[str] = field(default_factory=Counter)

    @property
    def told(self) -> str:
        return f"{self.kills.total()} kills in {self.nights} nights"

    @property
    def clean(self) -> bool:
        return not self.wrong.total()

    def for_machines(self) -> dict[str, object]:
        return {"nights": self.nights, "kills": dict(self.kills), "wrong": dict(self.wrong)}


class Campaign:
    """Nights one after another, below `folder`."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.results = Results()
        self._folder, self._random = folder, Random(seed)
        reports.tell("nights that nobody disturbs")
        others = sheet_with_others(list(ANOTHER))
        self._new = Example(Stage(folder / "new", others, (Moment.DONE,)).undisturbed)
        self._stage = Stage(folder / "old", CARDS, (Moment.DONE,))
        self._old = Example(self._stage.undisturbed)
        self._yard = self._stage.yard

    def run(self, rounds: int) -> None:
        """So many kills, in as many nights as it takes."""
        results = self.results
        while results.kills.total() < rounds:
            most = self._random.randint(*KILLS_PER_NIGHT)
            results.nights += 1
            wrong = self._night(min(most, rounds - results.kills.total()))
            results.wrong += wrong
            told = ", ".join(f"{what}: {count}" for what, count in wrong.items()) or "clean"
            reports.tell(f"night {results.nights}, {results.kills.total()}/{rounds} kills: {told}")
            if wrong:
                kept = self._folder / f"wrong{results.nights:04d}"
                self._yard.save(kept)
                reports.tell(f"see {kept}")

    def _night(self, kills: int) -> Counter[str]:
        """One more; what was wrong with it."""
        job = self._random.choice(list(ANOTHER))
        old, others = self._files(job)
        self._stage.begin_at(Moment.DONE, self._yard)
        self._yard.write_sheet(sheet_with_others([job]))
        night = FreshNight(self._yard, job, old, self._random)
        try:
            night.live_through(kills)
            self.results.kills += night.kills
            wrong = self._look(job, old, others)
        finally:
            self._yard.kill_all()
        wrong[LOST], wrong[FAILED] = len(night.lost), int(bool(night.failed))
        if night.failed:
            reports.tell(f"the farm {night.failed}; it said last:\n{self._yard.last_words()}")
        return +wrong

    def _files(self, job: str) -> tuple[dict[str, str], dict[str, str]]:
        """Digests of what this job has made at first, and of what the other has, by their paths."""
        renders = self._old.root / "renders"
        mine: dict[str, str] = {}
        others: dict[str, str] = {}
        for path in filter(Path.is_file, renders.rglob("*")):
            files = mine if owner(str(path.relative_to(self._old.root))) == job else others
            files[str(path.relative_to(renders))] = digest_of_file(path)
        return mine, others

    def _look(self, job: str, old: dict[str, str], others: dict[str, str]) -> Counter[str]:
        """What is wrong in the end."""
        root, renders = self._yard.workspace.root, self._yard.workspace.renders
        new = [each for each in self._new.outputs if owner(each) == job]
        left = [*root.rglob(f"*{PART}"), *(renders / "next").rglob("*")]
        return Counter(
            {
                NOT_KEPT: len({*old.values()} - kept_earlier(renders)),
                NOT_NEW: sum(
                    self._new.condition(root, each) is not Condition.EQUAL for each in new
                ),
                OTHERS: len(lost(others, renders)),
                LEFT: len(left),
                ORPHANS: len(self._yard.left_behind()),
            }
        )


def report(results: Results) -> str:
    """The table."""
    kills = [(f"kills: {target}", results.kills[target], "-") for target in TARGETS]
    counts = [(what, results.wrong[what], "0") for what in WRONG]
    return reports.table(("what", "count", "limit"), kills + counts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1 where anything was lost or wrong."""
    return campaigns.conduct("fresh", __doc__, Campaign, report, arguments, (30, "kills"))


if __name__ == "__main__":
    sys.exit(main())

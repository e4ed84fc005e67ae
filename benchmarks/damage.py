"""Damaged files, and what becomes of them: `python -m benchmarks.damage --rounds N --seed S`.

Every file of a workspace in turn has bytes flipped or overwritten, is cut off or removed: between
two runs (after a night that was killed, drained, or done) or while the farm works. The command is
started, or goes on, and then it is judged: nothing may hang, no film may be wrong and called done,
no other job harmed, and whatever cannot be mended must be told in a sentence. Workspaces of rounds
that went wrong stay for whoever wants to know why. Without `--rounds`, all rounds are played.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from benchmarks import campaigns, ending, reports
from benchmarks.harms import Case, Moment, cases, kind
from benchmarks.lanes import Lane
from benchmarks.scenes import CARDS, NETS, Stage
from benchmarks.verdicts import Fault, Outcome, Verdict

# What only a network has, or what is other for one: the rest is seen with test cards, much faster.
OF_NETS = frozenset({
    "picture of a data set", "decoded pictures", "checkpoint", "unfinished batch", "kept weights",
    "curves", "loop",
})  # fmt: skip


@dataclass(frozen=True)
class Sheet:
    """Rows, when files are damaged, and how many rounds are played side by side."""

    rows: Sequence[str]
    moments: Sequence[Moment]
    lanes: int
    only: frozenset[str] | None = None  # kinds of files; None: all

    def is_about(self, file: str) -> bool:
        return self.only is None or kind(file) in self.only


SHEETS = {
    "cards": Sheet(CARDS, (Moment.AT_WORK, Moment.KILLED, Moment.AMONG_EXTRAS, Moment.DONE), 2),
    "nets": Sheet(NETS, (Moment.AT_WORK, Moment.DRAINED), 1, OF_NETS),
}


@dataclass
class Results:
    """Of all rounds."""

    verdicts: list[tuple[Case, Verdict]] = field(default_factory=list)
    never_met: list[Case] = field(default_factory=list)

    @property
    def told(self) -> str:
        return f"{len(self.verdicts)} rounds"

    @property
    def clean(self) -> bool:
        return not any(verdict.faults for _, verdict in self.verdicts)

    def faults(self) -> Counter[Fault]:
        return Counter(fault for _, verdict in self.verdicts for fault in verdict.faults)

    def by_kind(self) -> Mapping[str, Counter[Outcome]]:
        counts: defaultdict[str, Counter[Outcome]] = defaultdict(Counter)
        for case, verdict in self.verdicts:
            counts[kind(case.file)][verdict.outcome] += 1
        return counts

    def for_machines(self) -> dict[str, object]:
        rounds = [
            {**case._asdict(), "kind": kind(case.file), "outcome": each.outcome,
             "faults": each.faults}
            for case, each in self.verdicts
        ]  # fmt: skip
        return {"rounds": rounds, "never_met": [case._asdict() for case in self.never_met]}


class Campaign:
    """Lanes side by side, below `folder`."""

    def __init__(self, folder: Path, seed: int, sheets: Iterable[str] = SHEETS) -> None:
        """Live through the nights of these sheets that rounds begin with."""
        self.results = Results()
        self._folder, self._seed = folder, seed
        self._telling = threading.Lock()
        self._stages = {name: self._stage(name) for name in sheets}

    def _stage(self, name: str) -> Stage:
        reports.tell(f"{name}: nights that are stopped")
        return Stage(self._folder / name, SHEETS[name].rows, SHEETS[name].moments)

    def run(self, rounds: int | None = None) -> None:
        """So many rounds, drawn by the seed; all that there are, where no number is given."""
        lots = {name: self.cases(name) for name in self._stages}
        every = [(name, case) for name, lot in lots.items() for case in lot]
        if rounds is not None:
            chosen = set(Random(self._seed).sample(every, min(rounds, len(every))))
            every = [each for each in every if each in chosen]
        self.play(every)

    def cases(self, name: str) -> list[Case]:
        """All of a sheet, mixed; pictures last, for new ones make those that are decoded old."""
        sheet, files = SHEETS[name], self._stages[name].files
        wanted = {
            moment: {file: size for file, size in files[moment].items() if sheet.is_about(file)}
            for moment in sheet.moments
        }
        random = Random(self._seed)
        every = cases(wanted, random)
        random.shuffle(every)
        return sorted(every, key=lambda case: case.file.startswith("data"))

    def undisturbed(self, name: str) -> Path:
        """The workspace of a night of this sheet that nobody disturbed."""
        return self._stages[name].undisturbed

    def play(self, every: Sequence[tuple[str, Case]]) -> None:
        """These cases, each of the sheet of that name."""
        self._begun, self._total, self._ended = time.monotonic(), len(every), 0
        waiting = {name: deque(case for at, case in every if at == name) for name in self._stages}
        with ThreadPoolExecutor() as executor:
            try:
                lanes = [
                    executor.submit(self._play_in, lane, waiting[name])
                    for name in self._stages
                    for lane in self._lanes(name)
                ]
                for each in lanes:
                    each.result()
            finally:  # an interrupt ends the campaign with the rounds in hand
                for cases_left in waiting.values():
                    cases_left.clear()

    def _lanes(self, name: str) -> Iterator[Lane]:
        stage = self._stages[name]
        yards = [stage.another_yard(f"yard{number}") for number in range(1, SHEETS[name].lanes)]
        for yard in (stage.yard, *yards):
            yield Lane(stage, yard, self._seed)

    def _play_in(self, lane: Lane, waiting: deque[Case]) -> None:
        while True:
            try:
                case = waiting.popleft()
            except IndexError:  # none is left
                return
            verdict = lane.play(case)
            if ending.is_stopped():  # its farm was ended: that is no verdict
                return
            with self._telling:
                self._note(lane, case, verdict)

    def _note(self, lane: Lane, case: Case, verdict: Verdict | None) -> None:
        self._ended += 1
        if verdict is None:
            self.results.never_met.append(case)
        else:
            self.results.verdicts.append((case, verdict))
        told = verdict.outcome if verdict else "never met"
        if verdict and verdict.faults:
            kept = self._folder / f"wrong{self._ended:04d}"
            lane.keep_aside(kept)
            told = f"{told}: {', '.join(verdict.faults)}; see {kept}"
        seconds = time.monotonic() - self._begun
        left = seconds / self._ended * (self._total - self._ended) / 60
        reports.tell(f"{self._ended}/{self._total} (about {left:.0f} min left) {case}: {told}")


def report(results: Results) -> str:
    """Both tables."""
    faults = results.faults()
    counts = [("rounds", len(results.verdicts), "-"), ("never met", len(results.never_met), "-")]
    counts += [(fault, faults[fault], "0") for fault in Fault]
    kinds = [
        (name, counts.total(), *(counts[outcome] for outcome in Outcome))
        for name, counts in sorted(results.by_kind().items())
    ]
    return "\n\n".join(
        [
            reports.table(("what", "count", "limit"), counts),
            reports.table(("kind of file", "rounds", *Outcome), kinds),
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1 where anything was WRONG."""
    return campaigns.conduct(
        "damage", __doc__, Campaign, report, arguments, (None, "drawn at random; all without it")
    )


if __name__ == "__main__":
    sys.exit(main())

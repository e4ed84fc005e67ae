"""Rounds of `benchmarks.damage`, one after another: harm a file, go on, look, judge."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random
from typing import NamedTuple

from benchmarks.aftermath import Before, Example, Harmed, look
from benchmarks.farmyard import Farmyard
from benchmarks.harms import Case, Moment, kind
from benchmarks.scenes import HANGS_SECONDS, POLL_SECONDS, Stage
from benchmarks.verdicts import Verdict, judge
from jobs.workspace.files import PART

LONGEST_DELAY = 0.5  # seconds from when it comes to be until the harm, for half of the rounds


class Met(NamedTuple):
    """A file that was harmed."""

    case: Case
    before: Before
    harmed: Harmed


class Lane:
    """Plays cases of a stage in a yard that nobody else uses."""

    def __init__(self, stage: Stage, yard: Farmyard, seed: int) -> None:
        self._stage, self._yard, self._seed = stage, yard, seed
        self._root = yard.workspace.root
        self._example = Example(stage.undisturbed)

    def play(self, case: Case) -> Verdict | None:
        """One round. None where nothing could be harmed: the file was empty, or never met."""
        random = Random(f"{self._seed} {case}")
        try:
            met = self._meet(case, random)
            return self._judge(met) if met else None
        finally:
            self._yard.kill_all()
            if case.file.startswith("data"):
                self._yard.draw_pictures()

    def keep_aside(self, folder: Path) -> None:
        """The workspace as the last round has left it."""
        self._yard.save(folder)

    def _meet(self, case: Case, random: Random) -> Met | None:
        """Do the harm; the farm runs behind it."""
        if case.moment is Moment.AT_WORK:
            return self._meet_at_work(case, random)
        self._stage.begin_at(case.moment, self._yard)
        met = self._harm(case, random)
        if met:
            self._yard.start()
        return met

    def _meet_at_work(self, case: Case, random: Random) -> Met | None:
        delays = (random.choice((0.0, random.uniform(0, LONGEST_DELAY))), 0.0, 0.0)
        for delay in delays:
            self._stage.begin_at(case.moment, self._yard)
            self._yard.start()
            if met := self._harm_when_it_is_there(case, delay, random):
                return met
            self._yard.kill_all()
        return None

    def _harm_when_it_is_there(self, case: Case, delay: float, random: Random) -> Met | None:
        """So many seconds later; None where the farm has ended before, or hangs."""
        came_at = 0.0
        gives_up_at = time.monotonic() + HANGS_SECONDS
        while self._yard.exit_code is None and (now := time.monotonic()) < gives_up_at:
            if file := self._find(case):
                came_at = came_at or now
                if now >= came_at + delay and (met := self._harm(file, random)):
                    return met
            time.sleep(POLL_SECONDS)
        return None

    def _find(self, case: Case) -> Case | None:
        """The case, with the name that its file has tonight; None where it is not there yet.

        Pictures are there before the farm works: they wait for a first frame.
        """
        path = self._root / case.file
        match kind(case.file):
            case "picture of a data set":
                begun = any(self._yard.workspace.runs.glob("*/progress.jsonl"))
                return case if begun else None
            case "decoded pictures" | "curves":
                whole = [each for each in path.parent.glob("*") if each.suffix != PART]
                return case._replace(file=str(whole[0].relative_to(self._root))) if whole else None
        return case if path.exists() else None

    def _harm(self, case: Case, random: Random) -> Met | None:
        before = Before.of(self._yard, self._example, case)
        harmed = Harmed.by(case, self._root, random)
        return Met(case, before, harmed) if harmed else None

    def _judge(self, met: Met) -> Verdict:
        """Wait until the farm has ended, but not for ever."""
        hangs_at = time.monotonic() + HANGS_SECONDS
        while self._yard.exit_code is None and time.monotonic() < hangs_at:
            time.sleep(POLL_SECONDS)
        code = self._yard.exit_code
        return judge(met.case, look(self._yard, self._example, *met, code))

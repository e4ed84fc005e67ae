"""Random calls of every command: `python -m benchmarks.commands --calls N --seed S`.

Each is made in a fresh copy of a small workspace, with values that are right or as strange as can
be. It must end with one of the exit codes that are promised, in a bounded time and memory, without
a traceback, and leave no process behind. A call that may take for ever, such as a walk of a million
frames, is asked to stop after a while (SIGTERM), and must do so.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psutil

from benchmarks import ending, playground, processes, reports
from benchmarks.peers.process import CODE
from benchmarks.strange_calls import Call, draw_call, leaves
from jobs.errors import ExitCode
from multitrain.commands.cli import commands

CODES = (ExitCode.DONE, ExitCode.FAILED, ExitCode.USAGE, ExitCode.DRAINED)
MOST_BYTES = 2 * 2**30  # resident, of a command and all that it has started
WORKED_SECONDS = 8.0  # of processor time, after which a call is asked to stop
ASKED_SECONDS = 60.0  # of the clock, after which one is that does nothing
STOP_SECONDS = 40.0  # that it may take for that
LINGER_SECONDS = 3.0  # in which what it has started must be gone
POLL_SECONDS = 0.1
SAID = 4000  # characters that are told of what went wrong

TRACEBACK = "tracebacks"
CODE_OF_ITS_OWN = "ends by a signal or a code of its own"
HANGS = "calls that do not stop when asked to"
MEMORY = "calls with more than 2 GiB of memory"
ORPHANS = "calls that leave processes"
WRONG = (TRACEBACK, CODE_OF_ITS_OWN, HANGS, MEMORY, ORPHANS)


@dataclass(frozen=True)
class Outcome:
    """What became of a call."""

    code: int
    seconds: float
    most_bytes: int
    was_asked: bool  # to stop
    wrong: tuple[str, ...]
    said: str


@dataclass
class Results:
    """Of all calls."""

    codes: Counter[int] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    commands: Counter[str] = field(default_factory=Counter)
    asked: int = 0
    seconds: list[float] = field(default_factory=list)
    most_bytes: int = 0

    @property
    def clean(self) -> bool:
        return not self.wrong.total()

    def add(self, call: Call, outcome: Outcome) -> None:
        self.codes[outcome.code] += 1
        self.wrong.update(outcome.wrong)
        self.commands[call.command] += 1
        self.asked += outcome.was_asked
        self.seconds.append(outcome.seconds)
        self.most_bytes = max(self.most_bytes, outcome.most_bytes)

    def for_machines(self) -> dict[str, object]:
        return {
            "codes": dict(self.codes),
            "wrong": dict(self.wrong),
            "commands": dict(self.commands),
            "asked to stop": self.asked,
            "most bytes": self.most_bytes,
            "seconds, median": statistics.median(self.seconds),
        }


class Making:
    """One call, being made."""

    def __init__(self, call: Call, folder: Path) -> None:
        self._mark = str(folder.resolve())
        self._said = folder / "said.txt"
        environment = {
            **os.environ,
            processes.MARK: self._mark,
            "PYTHONPATH": str(CODE),
            "TMPDIR": str(folder),
            **dict.fromkeys(("http_proxy", "https_proxy", "ftp_proxy"), "http://127.0.0.1:9"),
        }
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "multitrain", *call.words],
                cwd=folder / "place",
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        self._start = time.monotonic()
        self._most_bytes, self._worked = 0, 0.0
        self._is_asked = False

    def wait(self) -> Outcome:
        """Until it has ended, however."""
        wrong = []
        if not self._ends_within(ASKED_SECONDS):
            self._is_asked = True
            self._process.terminate()  # as SIGINT, which a call without a terminal may ignore
            if not self._ends_within(STOP_SECONDS):
                wrong.append(HANGS)
        if self._most_bytes > MOST_BYTES:
            wrong.append(MEMORY)
        seconds = time.monotonic() - self._start
        if self._process.poll() is None:
            processes.kill_all(self._mark)
        code = self._process.wait()
        if self._leaves_processes():
            wrong.append(ORPHANS)
        said = self._said.read_text(errors="replace")
        if "Traceback (most recent call last)" in said:
            wrong.append(TRACEBACK)
        if code not in CODES and not {HANGS, MEMORY} & set(wrong):
            wrong.append(CODE_OF_ITS_OWN)
        return Outcome(code, seconds, self._most_bytes, self._is_asked, tuple(wrong), said[-SAID:])

    def _ends_within(self, seconds: float) -> bool:
        """Whether it has ended by then, or needs too much memory to go on.

        False as well once it has worked for long: a busy machine gives it little in a minute.
        """
        deadline, may_work = time.monotonic() + seconds, self._worked + WORKED_SECONDS
        while self._process.poll() is None:
            if time.monotonic() > deadline or (self._worked > may_work and not self._is_asked):
                return False
            self._look()
            if self._most_bytes > MOST_BYTES:
                return True
            time.sleep(POLL_SECONDS)
        return True

    def _look(self) -> None:
        """At the memory and the processor time of all its processes."""
        memory, worked = 0, 0.0
        with suppress(psutil.Error):
            own = psutil.Process(self._process.pid)
            for each in (own, *own.children(recursive=True)):
                with suppress(psutil.Error):
                    memory += each.memory_info().rss
                    spent = each.cpu_times()
                    worked += spent.user + spent.system
        self._most_bytes, self._worked = max(self._most_bytes, memory), max(self._worked, worked)

    def _leaves_processes(self) -> bool:
        deadline = time.monotonic() + LINGER_SECONDS
        while any(processes.marked(self._mark)):
            if time.monotonic() > deadline:
                processes.kill_all(self._mark)
                return True
            time.sleep(POLL_SECONDS)
        return False


def run(calls: int, seed: int, folder: Path, at_once: int) -> Results:
    """Make so many calls, drawn by `seed`; what was wrong is told at once."""
    reports.tell("a workspace to play in")
    place = playground.build(folder / "yard")
    random, every = Random(seed), list(leaves(commands))
    drawn = [draw_call(random, every) for _ in range(calls)]
    results = Results()

    def make(number: int) -> Outcome:
        if ending.is_stopped():
            raise KeyboardInterrupt
        own = folder / f"call{number:05d}"
        own.mkdir()
        playground.copy(place, own / "place")
        try:
            return Making(drawn[number], own).wait()
        finally:
            shutil.rmtree(own, ignore_errors=True)

    with ThreadPoolExecutor(at_once) as executor:
        for number, outcome in enumerate(executor.map(make, range(calls))):
            results.add(drawn[number], outcome)
            if outcome.wrong:
                told = ", ".join(outcome.wrong)
                reports.tell(
                    f"call {number} ended with {outcome.code}: {told}: "
                    f"multitrain {drawn[number]}\n{outcome.said}"
                )
            elif number % 50 == 49:
                reports.tell(f"{number + 1}/{calls} calls")
    return results


def report(results: Results) -> str:
    """The table."""
    seconds = results.seconds
    rows = [
        ("commands that were called", len(results.commands), "-"),
        *((f"exit code {code:d}", results.codes[code], "-") for code in CODES),
        ("asked to stop, for they take long", results.asked, "-"),
        *((what, results.wrong[what], "0") for what in WRONG),
        ("s, median", f"{statistics.median(seconds):.1f}", "-"),
        ("s, most", f"{max(seconds):.1f}", f"{ASKED_SECONDS + STOP_SECONDS:.0f}"),
        ("MB of memory, most", f"{results.most_bytes / 1e6:.0f}", f"{MOST_BYTES / 1e6:.0f}"),
    ]
    return reports.table(("calls", "measured", "limit"), rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1 where anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.commands", description=__doc__)
    parser.add_argument("--calls", type=int, default=1000, metavar="N", help="how many to make")
    parser.add_argument("--seed", type=int, default=0, help="of what they are")
    parser.add_argument("--at-once", type=int, default=2, metavar="N", help="side by side")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the results for machines")
    given = parser.parse_args(arguments)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="commands-") as folder:
        results = run(given.calls, given.seed, Path(folder), given.at_once)
    told = f"{given.calls} calls"
    return reports.conclude(report(results), results, told, given.seed, start, given.json)


if __name__ == "__main__":
    sys.exit(main())

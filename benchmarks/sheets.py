"""Strange sheets, read: `python -m benchmarks.sheets --sheets N --seed S`.

Each ends as jobs or as mistakes with their lines; a traceback is a bug. CPU time is measured beside
a limit that keeps `multitrain check` instant.
"""

from __future__ import annotations

import argparse
import codecs
import gc
import re
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings

from benchmarks import reports
from benchmarks.strange_sheets import StrangeSheet, make_data, strange_sheets
from jobs.errors import NO_LINE, Mistake, SheetError
from jobs.sheets.sheet import Sheet, read_sheet
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace

JOBS, MISTAKES, ANYTHING_ELSE = "jobs", "mistakes", "anything else"
LIMIT_MS = 50.0  # of CPU time, for the slowest


@dataclass
class Results:
    """Of all sheets."""

    endings: Counter[str] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)  # of CPU time

    @property
    def clean(self) -> bool:
        return not self.endings[ANYTHING_ELSE] and max(self.milliseconds) <= LIMIT_MS

    def times(self) -> dict[str, float]:
        """By the words of a report."""
        shares = {"median": 50, "99 %": 99, "most": 100}
        return {
            f"ms of CPU time, {word}": float(np.percentile(self.milliseconds, share))
            for word, share in shares.items()
        }

    def for_machines(self) -> dict[str, object]:
        return {"endings": dict(self.endings), **self.times()}


def outcome(path: Path, workspace: Workspace) -> str:
    """JOBS or MISTAKES; AssertionError, or whatever was raised, for anything else."""
    try:
        sheet = read_sheet(path, workspace)
    except SheetError as error:
        check_mistakes(error.mistakes, lines_in(path))
        return MISTAKES
    check_jobs(sheet, workspace)
    return JOBS


def check_jobs(sheet: Sheet, workspace: Workspace) -> None:
    """What was read can be planned, and another process reads the same from the job's file."""
    assert sheet.jobs
    for job in sheet.jobs:
        assert job.plan.frames_total >= 1
        assert job.plan.batch_frames >= 1
    first = sheet.jobs[0]
    paths = workspace.job(first.spec.name)
    first.save(paths)
    assert JobFile.load(paths) == first
    shutil.rmtree(paths.run)


def check_mistakes(mistakes: Sequence[Mistake], lines: int) -> None:
    """Each stands in a line of what can be read, and is one line that a terminal takes as it is."""
    assert mistakes
    for mistake in mistakes:
        first = NO_LINE if mistake.reason.startswith("the sheet cannot be") else 1
        assert first <= mistake.line <= lines, (mistake, lines)
        assert str(mistake).isprintable(), mistake
        assert mistake.reason, mistake


def lines_in(path: Path) -> int:
    """As an editor counts them: at least one, and none after the last line end."""
    if not path.is_file():
        return 1
    content = path.read_bytes()
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = content.decode("utf-16" if marked else "latin-1", "replace")
    return max(1, len(re.findall(r"\r\n?|\n", text)) + (not text.endswith(("\r", "\n"))))


def run(sheets: int, number: int, folder: Path) -> Results:
    """Read `sheets` of them, drawn by the seed `number`."""
    workspace = Workspace(folder / "workspace")
    make_data(workspace)
    _warm_up(folder, workspace)
    results = Results()

    @seed(number)
    @settings(
        max_examples=sheets,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strange_sheets())
    def read_one(sheet: StrangeSheet) -> None:
        place = folder / "sheets"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        path = sheet.put(place)
        taken = _cpu_milliseconds(path, workspace)
        results.milliseconds.append(taken)
        if taken > LIMIT_MS:
            print(f"{taken:.0f} ms for {sheet}", file=sys.stderr)
        try:
            results.endings[outcome(path, workspace)] += 1
        except Exception:
            results.endings[ANYTHING_ELSE] += 1
            traceback.print_exc()
            print(f"of {sheet}", file=sys.stderr)

    read_one()
    return results


def _cpu_milliseconds(path: Path, workspace: Workspace) -> float:
    gc.disable()  # hypothesis leaves it much to do, which is no work of the reader
    start = time.process_time()
    with suppress(Exception):  # told by `outcome`
        read_sheet(path, workspace)
    end = time.process_time()
    gc.enable()
    return (end - start) * 1000


def _warm_up(folder: Path, workspace: Workspace) -> None:
    """Import what the readers import when they first need it."""
    sheet = folder / "sheet.csv"
    sheet.write_text("name,dataset,grid_width,grid_height,video_length\na,pics,1,1,1\n")
    read_sheet(sheet, workspace)


def report(results: Results) -> str:
    """The table."""
    endings, limit = results.endings, f"{LIMIT_MS:.0f}"
    counts = [
        (f"end as {JOBS}", endings[JOBS], "-"),
        (f"end as {MISTAKES}, each with its line", endings[MISTAKES], "-"),
        (f"end as {ANYTHING_ELSE}", endings[ANYTHING_ELSE], "0"),
    ]
    times = [(what, f"{taken:.2f}", limit) for what, taken in results.times().items()]
    return reports.table(("sheets", "measured", "limit"), [*counts, *times])


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1 where a sheet ended as anything else, or took too long."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sheets", description=__doc__)
    parser.add_argument("--sheets", type=int, default=10_000, metavar="N", help="how many to read")
    parser.add_argument("--seed", type=int, default=0, help="of what they hold")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the results for machines")
    given = parser.parse_args(arguments)
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sheets-") as folder:
        results = run(given.sheets, given.seed, Path(folder))
    told = f"{given.sheets} sheets"
    return reports.conclude(report(results), results, told, given.seed, start, given.json)


if __name__ == "__main__":
    sys.exit(main())

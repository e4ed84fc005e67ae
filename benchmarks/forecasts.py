"""How good forecasts are: `python -m benchmarks.forecasts --jobs 20 --seed 1`.

A sheet of jobs of mixed sizes is measured by `multitrain check --measure` and run to its end by
`multitrain run`. Told is what was forecast for each job, before any of them ran, beside what it
took: from the start of its trainer until its film is there. Exit code 1 where fewer than four of
five forecasts lie within 30 %.
"""

from __future__ import annotations

import argparse
import csv
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from PIL import Image

from benchmarks import reports
from jobs.settings.parsing import parse_cells
from jobs.sheets import operations
from jobs.sheets.sheet import read_sheet
from jobs.units import duration
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.commands.sheet_forecast import for_people
from multitrain.datasets.drawn.landscapes import draw_landscape
from multitrain.forecasts.forecasting import Forecast, Forecaster
from multitrain.forecasts.speeds import Cost, read_speeds
from multitrain.slots.opening import open_pool

NEAR = 0.3  # of what it took
SHARE = 0.8  # of the jobs must be as near
SIZES = ((32, 32), (48, 27), (64, 64), (96, 54), (128, 72), (160, 90))
PICTURES = 40
SHORTEST, LONGEST = 20, 80  # seconds of training, about
OPERATIONS_PER_SECOND = 4e10  # of two cores: so long films are made
FEWEST_STEPS, MOST_STEPS = 40, 4000
FPS = 60

_EVENT = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (\w+): (started|done)")

Row = dict[str, object]


@dataclass(frozen=True)
class Outcome:
    """A job, in seconds."""

    job: JobFile
    forecast: Forecast
    by_others: Forecast | None  # what its own kind had no part in
    took: float

    @property
    def off(self) -> float:
        return self.forecast.seconds / self.took - 1


def draw_rows(count: int, seed: int) -> list[Row]:
    """Jobs of mixed sizes, each with a film that is made in a minute or so."""
    draw = random.Random(seed)
    return [_row(number, draw) for number in range(1, count + 1)]


def _row(number: int, draw: random.Random) -> Row:
    width, height = draw.choice(SIZES)
    side = draw.randint(1, 4)
    layers = draw.randint(3, 5)
    row: Row = {
        "name": f"job{number:02d}",
        "dataset": f"{width}x{height}",
        "grid_width": side,
        "grid_height": draw.randint(1, side),
        "gf_dim": draw.choice((8, 16, 32, 64)),
        "df_dim": draw.choice((8, 16, 32, 64)),
        "nbr_of_layers_g": layers,
        "nbr_of_layers_d": layers,
        "nbr_g_updates": draw.choice((1, 1, 2)),
        "snapshot": draw.choice(("update", "step", "every 5 steps")),
        "activation_g": draw.choice(("relu", "elu", "mish")),
        "format": draw.choice(("h264", "h264", "h264,hap")),
        "auto_render_period": 5,
        "steps": 1,
    }
    seconds = draw.uniform(SHORTEST, LONGEST)
    steps = seconds / max(1e-3, _operations(row, width, height) / OPERATIONS_PER_SECOND)
    return {**row, "steps": round(min(max(steps, FEWEST_STEPS), MOST_STEPS))}


def _operations(row: Row, width: int, height: int) -> int:
    spec, mistakes = parse_cells({name: str(value) for name, value in row.items()})
    assert spec, mistakes
    return operations.of_step(JobFile(spec=spec, image_width=width, image_height=height))


def prepare(workspace: Workspace, rows: Sequence[Row]) -> Path:
    """The sheet, and its pictures."""
    for width, height in SIZES:
        folder = workspace.dataset(f"{width}x{height}")
        folder.mkdir(parents=True)
        for number in range(PICTURES):
            Image.fromarray(draw_landscape(number, width, height)).save(folder / f"{number}.png")
    sheet = workspace.root / "sheet.csv"
    with sheet.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return sheet


def measure(workspace: Workspace, sheet: Path) -> Iterator[Outcome]:
    """Have everything forecast, then run."""
    _multitrain(workspace, "check", str(sheet), "--measure")
    jobs = read_sheet(sheet, workspace).jobs
    speeds, model = read_speeds(workspace.speeds), open_pool("all", None, print).model
    told: dict[str, tuple[Forecast, Forecast | None]] = {}
    for job in jobs:
        others = [speed for speed in speeds if speed.cost != Cost.of(job)]
        known, by_others = (Forecaster(each, model).job(job) for each in (speeds, others))
        assert known, f"{job.spec.name} was not measured"
        told[job.spec.name] = known.whole, by_others.whole if by_others else None
    took = _times(_multitrain(workspace, "run", str(sheet)))
    for job in jobs:
        name = job.spec.name
        yield Outcome(job, *told[name], took[name])


def _multitrain(workspace: Workspace, *arguments: str) -> str:
    """What it says; CalledProcessError where it fails."""
    command = [sys.executable, "-m", "multitrain", *arguments, "--workspace", str(workspace.root)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def _times(said: str) -> dict[str, float]:
    """By job, the seconds from its start to its film."""
    started: dict[str, datetime] = {}
    took = {}
    for when, name, what in _EVENT.findall(said):
        time = datetime.fromisoformat(when)
        if what == "started":
            started.setdefault(name, time)
        else:
            took[name] = (time - started[name]).total_seconds()
    return took


HEADERS = (
    "job", "pictures", "grid", "GFLOP/step", "frames", "forecast", "took", "off, %",
    "forecast by other jobs", "off by that, %",
)  # fmt: skip


def table(outcomes: Sequence[Outcome]) -> str:
    """A row for each job."""
    return reports.table(HEADERS, map(_cells, outcomes))


def _cells(outcome: Outcome) -> Iterator[str]:
    job, others = outcome.job, outcome.by_others
    yield job.spec.name
    yield f"{job.image_width}x{job.image_height}"
    yield f"{job.spec.grid_width}x{job.spec.grid_height}"
    yield f"{operations.of_step(job) / 1e9:.2f}"
    yield str(job.plan.frames_total)
    yield duration(outcome.forecast.seconds)
    yield duration(outcome.took)
    yield f"{100 * outcome.off:.0f}"
    yield for_people(others)
    yield f"{100 * (others.seconds / outcome.took - 1):.0f}" if others else "-"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forecasts", description=__doc__)
    parser.add_argument("--jobs", type=int, default=20, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    given = parser.parse_args(arguments)
    print(f"about {given.jobs} min", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        workspace = Workspace(Path(folder))
        sheet = prepare(workspace, draw_rows(given.jobs, given.seed))
        outcomes = list(measure(workspace, sheet))
    print(table(outcomes))
    near = sum(abs(each.off) <= NEAR for each in outcomes)
    print(f"{near} of {len(outcomes)} forecasts within {100 * NEAR:.0f} %; {reports.machine()}")
    return 0 if near >= SHARE * len(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())

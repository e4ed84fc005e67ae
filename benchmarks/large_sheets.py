"""Sheets and workspaces of thousands of jobs: what they take of the processor.

`check`, `status` and a farm are processes of their own. What counts is their processor time, which
depends less than others on what else the machine does. Of a farm to which such a sheet is
submitted, it is that of its longest tick: so long it looks at nothing else.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from benchmarks.figures import Effort, Figure
from benchmarks.peers.process import CODE
from jobs.errors import MultitrainError
from jobs.settings.spec import JobSpec
from jobs.workspace.farm_state import read_farm_state
from jobs.workspace.files import remove
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from jobs.workspace.requests import LOOK_SECONDS
from jobs.workspace.states import State
from jobs.workspace.store import JobRow, create

FOLDERS, PICTURES, SIDE = 10, 1000, 32
ROWS, MANY_ROWS, JOBS = 5000, 100_000, 10_000
QUICK = 100  # times fewer of all

CHECK_SECONDS, CHECK_MANY_SECONDS, CHECK_MANY_GB = 2.0, 40.0, 1.5
STATUS_SECONDS = 1.0
TICK_MS = 200.0
PATIENCE_SECONDS = 120.0

HEADER = "name,dataset,grid_width,grid_height,video_length,nbr_g_updates,activation_g,seed"
CARDS_HEADER = "name,family,dataset,grid_width,grid_height,video_length"
CARDS_ROW = "card{0:06d},testcard,set0,2,1,600"
ROW = 'job{0:06d},set{1},3,3,5,2,"elu,crelu,tanh",{0}'


class Spent(NamedTuple):
    """By one call of a command."""

    seconds: float  # of processor time
    gigabytes: float  # resident, at most


def measure(effort: Effort) -> list[Figure]:
    """Processor seconds, medians of the rounds; the largest sheet is checked once."""
    fewer = QUICK if effort.quick else 1
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        sheets, jobs = Workspace(Path(folder, "sheets")), Workspace(Path(folder, "jobs"))
        _draw_pictures(sheets, PICTURES // fewer)
        some = _write_sheet(sheets, ROWS // fewer)
        many = _write_sheet(sheets, MANY_ROWS // fewer)
        _make_jobs(jobs, JOBS // fewer)
        checks = [_call(sheets, "check", some) for _ in range(effort.repetitions)]
        states = [_call(jobs, "status") for _ in range(effort.repetitions)]
        large = _call(sheets, "check", many)
        ticks = [_longest_tick(sheets, ROWS // fewer) for _ in range(effort.repetitions)]
    check, status = (statistics.median(each.seconds for each in of) for of in (checks, states))
    told = f"ten folders of {PICTURES // fewer} pictures"
    name = f"check of {MANY_ROWS // fewer} rows"
    return [
        Figure(f"check of {ROWS // fewer} rows", check, "s", CHECK_SECONDS, False, {}, told),
        Figure(name, large.seconds, "s", CHECK_MANY_SECONDS, False, {}, "once"),
        Figure(f"{name}, memory", large.gigabytes, "GB", CHECK_MANY_GB, False),
        Figure(f"status of {JOBS // fewer} jobs", status, "s", STATUS_SECONDS, False),
        Figure(
            f"longest tick of a farm that takes {ROWS // fewer} rows",
            1000 * statistics.median(ticks),
            "ms",
            TICK_MS,
            False,
        ),
    ]


def _draw_pictures(workspace: Workspace, count: int) -> None:
    picture = Image.effect_noise((SIDE, SIDE), 50).convert("RGB")
    for folder in range(FOLDERS):
        place = workspace.dataset(f"set{folder}")
        place.mkdir(parents=True)
        for number in range(count):
            picture.save(place / f"{number:04d}.png")


def _write_sheet(workspace: Workspace, rows: int) -> str:
    name = f"sheet{rows}.csv"
    lines = [HEADER, *(ROW.format(number, number % FOLDERS) for number in range(rows))]
    (workspace.root / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return name


def _longest_tick(workspace: Workspace, rows: int) -> float:
    """Processor seconds of the longest tick of a farm while it gets a sheet of so many rows."""
    lines = [CARDS_HEADER, *(CARDS_ROW.format(number) for number in range(rows))]
    (workspace.root / "cards.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    remove(workspace.runs)
    ticks = workspace.root / "ticks.json"
    options = ("run", "--stay", "--gpus", "cpu", "--slots", "1")
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.timed_ticks", str(ticks), *options],
        cwd=workspace.root,
        env={**os.environ, "PYTHONPATH": str(CODE)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as farm:
        try:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while read_farm_state(workspace) is None:
                if farm.poll() is not None or time.monotonic() > deadline:
                    raise MultitrainError(f"the farm in {workspace.root} does not begin")
                time.sleep(LOOK_SECONDS)
            _call(workspace, "submit", "cards.csv")
            farm.send_signal(signal.SIGTERM)
            farm.wait(PATIENCE_SECONDS)
        finally:
            farm.kill()
    times: list[tuple[float, float]] = json.loads(ticks.read_text())
    return max(spent for _, spent in times)


def _make_jobs(workspace: Workspace, count: int) -> None:
    """Jobs that have begun: each has its folder and file."""
    rows = []
    for number in range(count):
        cells = {"name": f"job{number:06d}", "dataset": "d", "grid_width": 2, "grid_height": 2}
        spec = JobSpec.model_validate({**cells, "video_length": 0.1})
        paths = workspace.job(spec.name)
        paths.run.mkdir(parents=True)
        job = JobFile(spec=spec, image_width=SIDE, image_height=SIDE)
        job.save(paths)
        total = job.frames_total
        rows.append(JobRow(spec.name, State.DONE, total, total, 1, "", ""))
    create(workspace.store, rows)


def _call(workspace: Workspace, *words: str) -> Spent:
    """`multitrain` with these words; MultitrainError where it fails."""
    said = workspace.root / "said.txt"
    with said.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "multitrain", *words],
            cwd=workspace.root,
            env={**os.environ, "PYTHONPATH": str(CODE)},
            stdout=file,
            stderr=file,
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        last = " ".join(said.read_text(errors="replace").splitlines()[-3:])
        raise MultitrainError(f"`multitrain {' '.join(words)}` failed: {last}")
    return Spent(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e9)

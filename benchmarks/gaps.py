"""The gap on a slot between two jobs beside a cold start, where the spare trainer is warm.

A round is a cold start, the trainer alone on the machine, and a farm whose second job is taken by
its spare, encoders and all. The gap ends where the first step begins: behind the building and
tracing of its networks. A cold start ends where that step ends.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil

from benchmarks import processes, standard
from benchmarks.figures import Effort, Figure
from benchmarks.peers.process import CODE
from jobs.errors import MultitrainError
from jobs.sheets.forms.nested_form import sheet_text
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths, Workspace
from multitrain.executors.local import LocalExecutor
from multitrain.farm.launching import TrainerSettings, open_lifeline
from multitrain.protocol.progress_lines import parse_line
from multitrain.slots.cpu import CpuPool

FRAMES = 96  # of a job: while it makes them, the spare gets warm
QUICK_FRAMES = 1200
JOBS = 6  # of a farm; all but the first or the first two meet a warm spare
FPS = 60
LINES = 4  # of the job in the spare: the speed of the last one is that of a step
PATIENCE_SECONDS = 600.0
POLL_SECONDS = 0.1
LIMIT = 40.0  # %

T = TypeVar("T")


def measure(effort: Effort) -> list[Figure]:
    """The gap as a share of a cold start: the median of the rounds' ratios."""
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-") as folder,
        standard.on_cores(),
    ):
        yard = Yard(effort, Workspace(Path(folder) / "workspace"))
        yard.cold_start()  # which also decodes the pictures
        rounds = [(yard.cold_start(), yard.gap()) for _ in range(effort.repetitions)]
    colds = [cold for cold, _ in rounds]
    gaps = [gap for _, gap in rounds]
    beside = {
        "gap, s": statistics.median(gap.to_first_step for gap in gaps),
        "to the end of the first step, s": statistics.median(gap.to_its_end for gap in gaps),
        "cold start, s": statistics.median(colds),
    }
    value = statistics.median(100 * gap.to_first_step / cold for cold, gap in rounds)
    return [Figure("gap between two jobs / cold start", value, "%", LIMIT, False, beside)]


@dataclass(frozen=True)
class Gap:
    """Seconds from the last step of one job on a slot to the first of the next."""

    to_first_step: float
    to_its_end: float


@dataclass(frozen=True)
class Line:
    """Of `progress.jsonl`: when a block was done, in unix seconds, and the time of its steps."""

    time: float
    step_seconds: float


class Yard:
    """A workspace in which trainers start, cold and warm."""

    def __init__(self, effort: Effort, workspace: Workspace) -> None:
        self._effort, self._workspace = effort, workspace
        self._count = 0
        standard.make_data_set(workspace.dataset("landscapes"), effort)

    def cold_start(self) -> float:
        """Seconds from the start of a process to the end of its first step."""
        job = self._job("cold")
        paths = self._workspace.job(job.spec.name)
        job.save(paths)
        pool = CpuPool(1)
        lease = pool.acquire(pool.free(0))
        assert lease
        settings = TrainerSettings(2**40, 0, open_lifeline())
        began = time.time()
        trainer = LocalExecutor().start(settings.launch(job, paths, lease))
        try:
            _wait_for(lambda: _lines(paths), lambda: trainer.poll() is None)
        finally:
            trainer.kill()
            while trainer.poll() is None:
                time.sleep(POLL_SECONDS)
        return _lines(paths)[0].time - began

    def gap(self) -> Gap:
        """Of a farm with several jobs on one slot: before the first that its spare takes."""
        jobs = [self._job("job") for _ in range(JOBS)]
        every = [self._workspace.job(job.spec.name) for job in jobs]
        farm = self._start_farm(jobs)
        try:
            place = _wait_for(lambda: _in_a_spare(farm.pid, every), lambda: farm.poll() is None)
            _wait_for(lambda: len(_lines(every[place])) >= LINES, lambda: farm.poll() is None)
        finally:
            processes.kill_all(self._mark)
            farm.wait()
        began, ended = _lines(every[place]), _lines(every[place - 1])[-1].time
        to_its_end = began[0].time - ended
        return Gap(to_its_end - began[LINES - 1].step_seconds, to_its_end)

    def _job(self, name: str) -> JobFile:
        """A new one."""
        frames = QUICK_FRAMES if self._effort.quick else FRAMES
        self._count += 1
        return standard.standard_job(
            self._effort,
            name=f"{name}{self._count}",
            dataset="landscapes",
            fps=FPS,
            video_length=frames / FPS / 60,
        )

    def _start_farm(self, jobs: list[JobFile]) -> subprocess.Popen[bytes]:
        text = sheet_text([job.spec for job in jobs], changed=True)
        (self._workspace.root / "sheet.yaml").write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "multitrain", "run", "sheet.yaml", "--gpus", "cpu"]
        return subprocess.Popen(
            [*command, "--slots", "1", "--keep-free-gb", "0"],
            cwd=self._workspace.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, processes.MARK: self._mark, "PYTHONPATH": str(CODE)},
            start_new_session=True,
        )

    @property
    def _mark(self) -> str:
        return str(self._workspace.root.resolve())


def _in_a_spare(farm: int, jobs: Sequence[JobPaths]) -> int:
    """Which of the jobs is trained by what was the spare of this farm; 0, the first: none."""
    logs = [job.log.resolve() for job in jobs]
    with suppress(psutil.Error):
        for child in psutil.Process(farm).children():
            with suppress(psutil.Error, OSError, ValueError):
                if "--spare" in child.cmdline():
                    return logs.index(Path(f"/proc/{child.pid}/fd/1").readlink())
    return 0


def _wait_for(what: Callable[[], T], lives: Callable[[], bool]) -> T:
    """What comes, once it is something."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := what()):
        if not lives() or time.monotonic() > deadline:
            raise MultitrainError("nothing was trained, or not by a spare: no gap to measure")
        time.sleep(POLL_SECONDS)
    return found


def _lines(paths: JobPaths) -> list[Line]:
    """All whole lines so far."""
    try:
        texts = paths.progress.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    told = [line for text in texts if (line := parse_line(text))]
    befores = [None, *told[:-1]]
    return [
        Line(line.time, (line.time - before.time) / (line.step - before.step) if before else 0.0)
        for before, line in zip(befores, told, strict=True)
    ]

"""A farm as its users start it: the real command in a real folder, and the films that come out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

from benchmarks.films import Picture, decoded
from jobs.sheets.sheet import read_sheet
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.families.testcard.session import read_number

SECONDS = 120.0  # nothing here takes so long on a healthy machine


class Farmhouse:
    """A workspace, its sheet, and the processes started in it."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.sheet = workspace.root / "sheet.csv"
        self._started: list[subprocess.Popen[str]] = []

    def write_sheet(self, *rows: str) -> None:
        self.sheet.write_text("\n".join(rows) + "\n", encoding="utf-8")

    def jobs(self) -> dict[str, JobFile]:
        return {job.spec.name: job for job in read_sheet(self.sheet, self.workspace).jobs}

    def start(
        self, *options: str, stdout: int = subprocess.PIPE, has_sheet: bool = True
    ) -> subprocess.Popen[str]:
        sheet = [self.sheet.name] if has_sheet else []
        command = [sys.executable, "-m", "multitrain", "run", *sheet, *options]
        process = subprocess.Popen(
            command,
            cwd=self.workspace.root,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._started.append(process)
        return process

    def run(self, *options: str) -> tuple[int, str]:
        """Exit code and all that was said."""
        process = self.start(*options)
        said, _ = process.communicate(timeout=SECONDS)
        return process.returncode, said

    def close(self) -> None:
        for process in self._started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            if process.stdout:
                process.stdout.close()

    def check_video(self, job: JobFile, path: Path, first: int, last: int, box: int = 0) -> None:
        """The video holds frames `first` to `last` exclusive, each once, in order, evenly."""
        plan = job.plan
        shown = []
        for number, (time_of_frame, picture) in enumerate(frames_of(path)):
            assert time_of_frame == Fraction(number, plan.fps), path
            cut = picture[: plan.box_height, : plan.box_width]
            shown.append(read_number(cut, job.image_width, job.image_height))
        assert shown == list(range(first, last)), path

    def check_job(self, name: str) -> None:
        """Film and timecuts of a testcard job are as planned, boxes included, and nothing more."""
        job, paths = self.jobs()[name], self.workspace.job(name)
        plan = job.plan
        for box in plan.box_numbers:
            self.check_video(job, paths.film(box), 0, plan.frames_total)
            for number, cut in enumerate(plan.cuts, 1):
                self.check_video(job, paths.timecut(number, box), cut.start, cut.stop)
        assert not list(paths.run.rglob("*.part"))
        assert not list(self.workspace.renders.glob("*.part"))


def frames_of(path: Path) -> list[tuple[Fraction, Picture]]:
    """Every frame of a video: when it is shown, in seconds, and its picture."""
    return list(decoded(path))


def wait_for(condition: Callable[[], object], farm: subprocess.Popen[str]) -> None:
    """Until `condition` holds, while the farm runs."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert farm.poll() is None, farm.stdout and farm.communicate()[0]
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def order(said: str, *pieces: str) -> Sequence[int]:
    """Where each piece begins in what was said; AssertionError where one is missing."""
    places = [said.find(piece) for piece in pieces]
    assert -1 not in places, (pieces, said)
    return places

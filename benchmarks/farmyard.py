"""A small farm to be hard on: a workspace with two jobs, and the command that runs it.

`cards` is a test card, whose frames show their numbers, in two boxes; its trainer is far ahead of a
slow encoder, so that its spool is full and it waits. `nets` is a DCGAN of some thousand weights,
trained with the same bits at every run, slowly enough to be met in the middle of a batch: when its
farm is gone it writes a checkpoint there, and the next kill makes it cut the batch back to that.
Both have loops made, and one of them an export.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Self

import numpy as np
import psutil
from PIL import Image

from benchmarks import ending, processes
from jobs.sheets.sheet import read_sheet
from jobs.workspace.files import modified, remove
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace

HEADER = (
    "name,family,dataset,grid_width,grid_height,video_length,auto_render_period,render_res,preset,"
    "nbr_of_layers_g,nbr_of_layers_d,gf_dim,df_dim,z_dim,snapshot,format,keep_checkpoints,loops"
)
CARDS = "cards,testcard,noise,8,3,{minutes},5.1,192x96,slower,,,,,,,,,pingpong(frames=40)"
NETS = (
    "nets,dcgan,noise,4,4,{minutes},5,,ultrafast,3,3,24,24,16,step,"
    '"h264,ffv1",20,"walk(frames=60, grid=2x2), walk(frames=30, through_time=True), best(frames=9)"'
)

PICTURES, PICTURE_SIZE = 24, (48, 32)  # of the data set; width and height in pixels
OPTIONS = ("--gpus", "cpu", "--slots", "2", "--spool-gb", "0.1", "--deterministic")

# The code beside this benchmark, whatever else is installed; children inherit it.
CODE = Path(__file__).resolve().parents[1]


def rows(cards: float = 0.4, nets: float = 0.2) -> list[str]:
    """The sheet's rows; minutes of film, and none of a job that has no minute."""
    lengths = ((CARDS, cards), (NETS, nets))
    return [row.format(minutes=minutes) for row, minutes in lengths if minutes]


class Farmyard:
    """One workspace below `root`, and the farm that runs in it."""

    def __init__(self, root: Path, rows: Sequence[str], header: str = HEADER) -> None:
        self.root = root
        self.workspace = Workspace(root / "workspace")
        self.temporary = root / "tmp"  # what the farm's processes take for /tmp
        self.said = root / "said.txt"  # by all farms of the night
        self._mark = str(root.resolve())
        self._farm: subprocess.Popen[bytes] | None = None
        self._names = [row.partition(",")[0] for row in rows]
        self.temporary.mkdir(parents=True)
        self._header = header
        self.draw_pictures()
        self.write_sheet(rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leaves no process behind."""
        self.kill_all()

    def save(self, folder: Path) -> None:
        """All that is in it but the pictures."""
        shutil.copytree(self.root, folder, ignore=shutil.ignore_patterns(self.workspace.data.name))

    def restore(self, folder: Path) -> None:
        """As it was when it was saved there, at the same place; no farm may be running.

        The pictures stay, for pictures that were copied are not those that were decoded.
        """
        for path in (*self.workspace.root.iterdir(), self.temporary, self.said):
            if path != self.workspace.data:
                remove(path)
        shutil.copytree(folder, self.root, dirs_exist_ok=True)

    def draw_pictures(self) -> None:
        """The data set, as new."""
        remove(self.workspace.data)
        _draw_pictures(self.workspace.dataset("noise"))

    def jobs(self) -> list[JobFile]:
        return list(read_sheet(self.workspace.root / "sheet.csv", self.workspace).jobs)

    def write_sheet(self, rows: Iterable[str]) -> None:
        """Another one, of the same jobs."""
        sheet = self.workspace.root / "sheet.csv"
        sheet.write_text("\n".join([self._header, *rows]) + "\n")

    def start(self, *options: str) -> None:
        """`multitrain run`, for the first time or once more.

        KeyboardInterrupt where the benchmark is being stopped.
        """
        if ending.is_stopped():  # also of threads: they would wait for it
            raise KeyboardInterrupt
        settings = {processes.MARK: self._mark, "PYTHONPATH": str(CODE)}
        with self.said.open("ab") as said:
            self._farm = subprocess.Popen(
                [sys.executable, "-m", "multitrain", "run", "sheet.csv", *OPTIONS, *options],
                cwd=self.workspace.root,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                env={**os.environ, **settings, "TMPDIR": str(self.temporary)},
                start_new_session=True,
            )

    @property
    def exit_code(self) -> int | None:
        """Of the farm that was started last; None while it runs, negative where it was killed."""
        assert self._farm is not None, "nothing was started"
        return self._farm.poll()

    def wait(self, seconds: float) -> None:
        """Until the farm has ended; TimeoutExpired after so many."""
        assert self._farm is not None, "nothing was started"
        self._farm.wait(seconds)

    def living(self, kind: str) -> list[psutil.Process]:
        """The processes of a kind (one of `processes.KINDS`, or `farm`), oldest first."""
        if kind == "farm":
            farm = self._farm
            return [psutil.Process(farm.pid)] if farm and farm.poll() is None else []
        return [each for each in processes.marked(self._mark) if processes.kind(each) == kind]

    def folder_times(self) -> tuple[int, ...]:
        """When a name last came or went in each folder where that is of weight, in nanoseconds."""
        return (modified(self.workspace.runs), *self.work_times())

    def work_times(self) -> tuple[int, ...]:
        """The same without the folder in which an idle farm, too, writes once a second."""
        jobs = [self.workspace.job(name) for name in self._names]
        inner = [(job.run, job.checkpoints, job.spool, job.segments) for job in jobs]
        return tuple(map(modified, (self.workspace.renders, *chain.from_iterable(inner))))

    def left_behind(self) -> list[psutil.Process]:
        """The processes that outlive their farm."""
        return list(processes.marked(self._mark))

    def kill_all(self, sparing: str | None = None) -> None:
        """As a power cut does; `sparing` is a kind that lives on."""
        processes.kill_all(self._mark, sparing)
        if self._farm:
            self._farm.wait()

    def drain(self, seconds: float) -> None:
        """Ask the farm to stop gently, and wait until it has; TimeoutExpired after `seconds`."""
        assert self._farm is not None, "nothing was started"
        self._farm.terminate()
        self.wait(seconds)

    def kill_farm(self) -> None:
        """The farm alone; its children live on for a while."""
        assert self._farm is not None, "nothing was started"
        os.kill(self._farm.pid, signal.SIGKILL)  # it has not been waited for: the pid is its own
        self._farm.wait()

    def last_words(self, lines: int = 12) -> str:
        return "\n".join(self.said.read_text(errors="replace").splitlines()[-lines:])


def _draw_pictures(folder: Path) -> None:
    """Noise, the same in every yard."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    width, height = PICTURE_SIZE
    for number in range(PICTURES):
        noise = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{number:03d}.png")

"""Raw batches to a film through the render worker, beside ffmpeg alone and beside the way of PNGs.

1920x1080, H.264 with the sheet's defaults, two cores. Ours is the whole way: batches of the spool,
each encoded and decoded again, joined to a timecut and to the film. ffmpeg alone encodes one raw
file and nobody looks at the result. All of them step
back behind other processes, as the render worker does.

What counts is processor time, of a process and of the ffmpegs that it started: it tells what a
training beside it is left with, and hardly depends on what else the machine does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from benchmarks.figures import Effort, Figure
from benchmarks.standard import moving_frames, on_cores, standard_job
from benchmarks.turns import Contender, Rounds, take_turns
from jobs.errors import MultitrainError
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths, Workspace
from multitrain.machine.defaults import default_encoders
from render.encoding import ffmpeg
from render.encoding.commands import Command, encode_command
from render.encoding.ffmpeg import lower_priority

FRAMES, CELL, GRID = 126, (480, 270), (4, 4)  # cells across and down: 1920x1080
QUICK_FRAMES, QUICK_CELL, QUICK_GRID = 6, (32, 18), (2, 2)
FPS = 60
PNG_SHARE = 6  # that way is slow: it goes through a part of the frames
POLL_SECONDS = 0.005
PATIENCE_SECONDS = 600.0

OURS, ALONE, PNGS = "render worker", "ffmpeg alone", "PNG files, then ffmpeg"
BESIDE_ALONE, BESIDE_PNGS = 1.15, 2.5  # of processor time; of speed


def measure(effort: Effort) -> list[Figure]:
    """Processor time beside ffmpeg alone, and frames per second beside the way of PNGs."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, on_cores():
        stock = Stock(Path(folder), effort)
        with worker(stock) as render, ThreadPoolExecutor(1, initializer=lower_priority) as others:
            alone = Metered(lambda: others.submit(stock.encode_alone).result())
            contenders: dict[str, Contender] = {
                OURS: render,
                ALONE: alone,
                PNGS: lambda amount: others.submit(stock.encode_pngs, amount).result(),
            }
            frames = stock.job.plan.frames_total
            amounts = {OURS: frames, ALONE: frames, PNGS: max(1, frames // PNG_SHARE)}
            rounds = take_turns(contenders, amounts, effort.repetitions)
    processor = Rounds({OURS: render.processor_seconds, ALONE: alone.processor_seconds})
    beside = {"frames/s beside ffmpeg alone": rounds.speedup(OURS, ALONE)}
    beside |= {f"{name}, ms/frame": 1000 * processor.median(name) for name in (OURS, ALONE)}
    beside |= {f"{name}, frames/s": rounds.rate(name) for name in contenders}
    return [
        Figure("frame path / ffmpeg alone, processor time", processor.speedup(ALONE, OURS), "x",
               BESIDE_ALONE, False, beside),
        Figure("frame path / PNG files", rounds.speedup(OURS, PNGS), "x", BESIDE_PNGS, True),
    ]  # fmt: skip


class Metered:
    """A contender that runs programs, with the processor time that they take."""

    def __init__(self, work: Callable[[], float]) -> None:
        self.processor_seconds: list[float] = []  # per unit, one for each turn
        self._work = work

    def __call__(self, amount: int) -> float:
        before = children_time()
        seconds = self._work()
        self.processor_seconds.append((children_time() - before) / amount)
        return seconds


def children_time() -> float:
    """Seconds of processor time that programs of this process have taken which have ended."""
    spent = os.times()
    return spent.children_user + spent.children_system


class Stock:
    """The same frames as batches and as one raw file, in a workspace below `folder`."""

    def __init__(self, folder: Path, effort: Effort) -> None:
        count = QUICK_FRAMES if effort.quick else FRAMES
        cell, grid = (QUICK_CELL, QUICK_GRID) if effort.quick else (CELL, GRID)
        columns = {"grid_width": grid[0], "grid_height": grid[1], "fps": FPS}
        spec = standard_job(
            effort, **columns, video_length=count / FPS / 60, use_checkpoints=False
        ).spec
        self.job = JobFile(spec=spec, image_width=cell[0], image_height=cell[1])
        self.workspace = Workspace(folder / "workspace")
        self.workspace.renders.mkdir(parents=True)
        self.batches = folder / "batches"
        self._pngs = folder / "pngs"
        self._raw, self._film = folder / "all.rgb", folder / "alone.mp4"
        self._write(moving_frames(count, *grid, *cell))

    def encode_alone(self) -> float:
        """Seconds for all frames."""
        return _timed(self._command())

    def encode_pngs(self, amount: int) -> float:
        """Seconds for the first `amount` frames."""
        plan = self.job.plan
        shape = (plan.frame_height, plan.frame_width, 3)
        frames = np.fromfile(self._raw, np.uint8, amount * plan.frame_bytes).reshape(-1, *shape)
        shutil.rmtree(self._pngs, ignore_errors=True)
        self._pngs.mkdir()
        start = time.perf_counter()
        for number, frame in enumerate(frames):
            Image.fromarray(frame).save(self._pngs / f"{number:09d}.png")
        ffmpeg.run(from_pngs(self._command(), self._pngs / "%09d.png", plan.fps))
        return time.perf_counter() - start

    def _write(self, frames: Iterator[np.ndarray]) -> None:
        self.batches.mkdir()
        with self._raw.open("wb") as whole:
            for batch in self.job.plan.batches():
                with (self.batches / f"{batch}.rgb").open("wb") as part:
                    for _ in range(len(batch)):
                        data = next(frames).tobytes()
                        whole.write(data)
                        part.write(data)

    def _command(self) -> Command:
        spec = self.job.spec
        return encode_command(
            ffmpeg.find(), self._raw, self.job.plan, [self._film], crf=spec.crf, preset=spec.preset
        )


@contextmanager
def worker(stock: Stock) -> Iterator[Worker]:
    """A render worker that is up; ended behind."""
    command = [sys.executable, "-m", "render.worker.worker", str(stock.workspace.root)]
    command += ["--encoders", str(default_encoders())]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1
    ) as process:
        yield Worker(stock, process)


class Worker:
    """Called with an amount, it makes a film of all frames; the seconds that took."""

    def __init__(self, stock: Stock, process: subprocess.Popen[str]) -> None:
        self.processor_seconds: list[float] = []  # per unit, one for each turn
        self._stock = stock
        self._process = process
        self._turns = 0
        self(stock.job.plan.frames_total)  # the process is up
        self.processor_seconds.clear()

    def __call__(self, amount: int) -> float:
        assert amount == self._stock.job.plan.frames_total
        assert self._process.stdin
        self._turns += 1
        paths = self._stock.workspace.job(f"turn{self._turns}")
        paths.spool.mkdir(parents=True)
        self._stock.job.save(paths)
        for batch in self._stock.batches.iterdir():
            os.link(batch, paths.spool / batch.name)
        start, spent = time.perf_counter(), self._processor_time()
        self._process.stdin.write(f"{paths.name}\n")
        self._wait_for(paths, paths.made(paths.film()))
        seconds = time.perf_counter() - start
        self.processor_seconds.append((self._processor_time() - spent) / amount)
        self._wait_for(paths, paths.manifest)
        shutil.rmtree(self._stock.workspace.renders)
        self._stock.workspace.renders.mkdir()
        return seconds

    def _processor_time(self) -> float:
        """Seconds that the process, and its programs that have ended, took so far."""
        spent = psutil.Process(self._process.pid).cpu_times()
        return float(spent.user + spent.system + spent.children_user + spent.children_system)

    def _wait_for(self, paths: JobPaths, file: Path) -> None:
        """For this file, or for the manifest, which comes last."""
        deadline = time.perf_counter() + PATIENCE_SECONDS
        while not (file.exists() or paths.manifest.exists()):
            if paths.render_failure.exists() or time.perf_counter() > deadline:
                raise MultitrainError(f"the render worker made no film of {paths.run}")
            time.sleep(POLL_SECONDS)


def from_pngs(command: Command, pattern: Path, fps: int) -> Command:
    """The same encoding of PNG files instead of a raw one."""
    start, stop = command.index("rawvideo") - 1, command.index("-i") + 2
    return [*command[:start], "-framerate", str(fps), "-i", str(pattern), *command[stop:]]


def _timed(command: Command) -> float:
    start = time.perf_counter()
    ffmpeg.run(command)
    return time.perf_counter() - start

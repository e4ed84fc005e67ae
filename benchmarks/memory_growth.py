"""Whether a trainer's memory grows: a tiny network, thousands of steps, a real trainer process."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
from PIL import Image

from benchmarks import standard
from benchmarks.figures import Effort, Figure
from benchmarks.peers.process import CODE
from benchmarks.progress import newest
from jobs.errors import MultitrainError
from jobs.workspace.paths import JobPaths, Workspace

STEPS, QUICK_STEPS = 10_000, 4000
WARM = 0.25  # of the steps: blocks have found their length, TensorFlow its buffers
POLL_SECONDS = 0.1

LIMIT_PERCENT, LIMIT_MB = 1.0, 8.0


def measure(effort: Effort) -> list[Figure]:
    """Resident memory in the last tenth of the steps, beside that in the first after the start."""
    steps = QUICK_STEPS if effort.quick else STEPS
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        samples = list(_watch(_make_job(Path(folder), steps)))
    before, after = ends(samples, steps)
    beside = {"before, MB": before / 1e6, "after, MB": after / 1e6, "steps": steps}
    growth = after - before
    return [
        Figure("memory growth", 100 * growth / before, "%", LIMIT_PERCENT, False, beside),
        Figure("memory growth, absolute", growth / 1e6, "MB", LIMIT_MB, False),
    ]


def ends(samples: Sequence[tuple[int, int]], steps: int) -> tuple[float, float]:
    """Median bytes in the first tenth of `steps` after the start and in the last tenth.

    `samples` are steps done and bytes. MultitrainError where there are none in one of them.
    """
    warm, tenth = steps * WARM, steps / 10
    first = [size for step, size in samples if warm <= step < warm + tenth]
    last = [size for step, size in samples if step >= steps - tenth]
    if not first or not last:
        raise MultitrainError("the trainer was too fast to be watched; take more steps")
    return statistics.median(first), statistics.median(last)


def _make_job(root: Path, steps: int) -> JobPaths:
    effort = Effort(quick=True)  # the network is tiny in any case
    workspace = Workspace(root)
    columns: dict[str, object] = {"dataset": "landscapes", "fps": 60}
    job = standard.standard_job(effort, **columns, video_length=2 * steps / 60 / 60)
    paths = workspace.job(job.spec.name)
    workspace.renders.mkdir()
    folder = workspace.dataset("landscapes")
    folder.mkdir(parents=True)
    pictures = standard.landscapes(standard.QUICK_PICTURES, job.image_width, job.image_height)
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"{number:03d}.png")
    paths.run.mkdir(parents=True)
    job.save(paths)
    return paths


def _watch(paths: JobPaths) -> Iterator[tuple[int, int]]:
    """Train it; again and again, steps done and resident bytes."""
    command = [
        sys.executable,
        "-m",
        "multitrain.trainer.process",
        str(paths.workspace.root),
        paths.name,
    ]
    with (
        paths.log.open("wb") as log,
        subprocess.Popen(command, cwd=CODE, stdout=log, stderr=log) as trainer,
    ):
        process = psutil.Process(trainer.pid)
        try:
            while trainer.poll() is None:
                told = newest(paths)
                if told:
                    yield told.step, process.memory_info().rss
                psutil.wait_procs([process], timeout=POLL_SECONDS)
        finally:
            trainer.kill()
    if trainer.returncode:
        raise MultitrainError(f"the trainer ended: {paths.log.read_text()[-2000:]}")

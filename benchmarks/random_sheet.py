"""Random jobs over all settings, checked and trained: `python -m benchmarks.random_sheet`.

`--count 200 --seed 1 --train-steps 3 --size 32` writes a sheet of 200 jobs, has `multitrain check`
read it, and trains each job for three steps: every `--every-jax` th on JAX, the others on
TensorFlow, a few in a process. Families for larger pictures need `--size 64`. It prints how many
jobs ran, and those whose losses were NaN or infinite, and every error with its job. Exit code 1
where there was an error.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import reports
from benchmarks.random_settings import RandomJobs
from jobs.pictures.folders import DatasetFolders
from jobs.sheets.sheet import read_sheet
from jobs.tinkering.writing import save_sheet, sheet_with_defaults
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.datasets.drawn.landscapes import draw_landscape

PICTURES = 16
PAN = 2  # pixels from one to the next
FOLDER = "pictures"
FPS = 60
JOBS_OF_A_PROCESS = 20
RAN, NOT_FINITE, FAILED = "ran", "losses not finite", "failed"


@dataclass(frozen=True)
class Outcome:
    """What became of a job; `error` is the end of the traceback."""

    name: str
    engine: str
    ending: str
    seconds: float
    error: str = ""


def make_sheet(folder: Path, count: int, seed: int, size: int, every_jax: int) -> Path:
    """Draw the pictures and write `sheet.yaml`; every `every_jax` th job is for JAX, 0: none."""
    workspace = Workspace(folder)
    pictures = workspace.dataset(FOLDER)
    pictures.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(_pan(size)):
        Image.fromarray(picture).save(pictures / f"{number:02d}.png")
    fixed = {"dataset": FOLDER, "grid_width": "2", "grid_height": "2", "video_length": "0.1"}
    jobs = RandomJobs(workspace, DatasetFolders(workspace), fixed, seed)
    specs = [
        jobs.draw(number, "jax" if every_jax and number % every_jax == 0 else "tensorflow").spec
        for number in range(1, count + 1)
    ]
    sheet = folder / "sheet.yaml"
    save_sheet(sheet, sheet_with_defaults(specs, [f"{count} random jobs, seed {seed}"]), force=True)
    return sheet


def _pan(size: int) -> Iterator[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    """Square pictures that follow each other without a cut, all with the same noise as alpha."""
    wide = draw_landscape(0, size + PAN * PICTURES, size)
    alpha = np.random.default_rng(0).integers(128, 256, (size, size, 1), np.uint8)
    for number in range(PICTURES):
        picture = wide[:, PAN * number :][:, :size]
        yield np.concatenate([picture, alpha], axis=-1)


def check(sheet: Path) -> None:
    """As a user would; CalledProcessError where the sheet is refused."""
    command = [sys.executable, "-m", "multitrain", "check", str(sheet)]
    workspace = ["--workspace", str(sheet.parent)]
    subprocess.run([*command, *workspace], check=True, stdout=subprocess.DEVNULL)


def train_all(sheet: Path, steps: int) -> Iterator[Outcome]:
    """Train the jobs of a sheet, a few in a process: compiled steps stay in its memory."""
    jobs = read_sheet(sheet, Workspace(sheet.parent)).jobs
    for engine in sorted({job.spec.engine for job in jobs}):
        names = [job.spec.name for job in jobs if job.spec.engine == engine]
        while names:
            done = list(_in_process(sheet, engine, names[:JOBS_OF_A_PROCESS], steps))
            yield from done
            names = names[len(done) :]
            if names and not done:  # the process died within the first of them
                yield Outcome(names.pop(0), engine, FAILED, 0, "its process died")


def _in_process(sheet: Path, engine: str, names: Sequence[str], steps: int) -> Iterator[Outcome]:
    command = [sys.executable, "-m", "benchmarks.random_sheet", "--train", str(sheet)]
    environment = {**os.environ, "KERAS_BACKEND": engine, "TF_CPP_MIN_LOG_LEVEL": "2"}
    child = subprocess.Popen(
        [*command, "--train-steps", str(steps), "--jobs", *names],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    with child:
        for line in child.stdout:
            outcome = Outcome(**json.loads(line))
            print(f"{outcome.name}: {outcome.ending}, {outcome.seconds:.1f} s", file=sys.stderr)
            yield outcome


def train_here(sheet: Path, names: Sequence[str], steps: int) -> None:
    """Train these jobs one after the other in this process; each outcome is a line of JSON."""
    jobs = {job.spec.name: job for job in read_sheet(sheet, Workspace(sheet.parent)).jobs}
    for name in names:
        print(json.dumps(asdict(train(jobs[name], sheet.parent, steps))), flush=True)
        gc.collect()


def train(job: JobFile, folder: Path, steps: int) -> Outcome:
    """A few steps of one job, and its frames looked at."""
    from multitrain.engine.session import SessionSettings  # here: after the engine was chosen
    from multitrain.families import open_session
    from multitrain.trainer.feeds import open_job_pictures

    start = time.perf_counter()
    ending, told = RAN, ""
    try:
        pictures = open_job_pictures(job, Workspace(folder), keep_free=0)
        session = open_session(job, pictures.feeds, SessionSettings())
        block = session.run(steps)
        plan = job.plan
        frames = plan.timing.frames_by(steps)
        shape = (frames, plan.frame_height, plan.frame_width, plan.channels)
        assert block.frames.shape == shape, (block.frames.shape, shape)
        assert block.frames.dtype == np.uint8
        if not all(np.isfinite(loss) for loss in block.losses.values()):
            ending, told = NOT_FINITE, str(dict(block.losses))
    except Exception:
        ending, told = FAILED, "\n".join(traceback.format_exc().splitlines()[-6:])
    return Outcome(job.spec.name, job.spec.engine, ending, time.perf_counter() - start, told)


def report(outcomes: Sequence[Outcome]) -> str:
    """The table, and below it every job that did not simply run."""
    engines = sorted({each.engine for each in outcomes})
    endings = Counter((each.engine, each.ending) for each in outcomes)
    rows = [
        (engine, *(endings[engine, ending] for ending in (RAN, NOT_FINITE, FAILED)))
        for engine in engines
    ]
    told = [
        f"{each.name} ({each.engine}): {each.ending}\n{each.error}"
        for each in outcomes
        if each.ending != RAN
    ]
    return "\n\n".join([reports.table(("engine", RAN, NOT_FINITE, FAILED), rows), *told])


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1 where a job failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.random_sheet", description=__doc__)
    parser.add_argument("--count", type=int, default=200, metavar="N", help="jobs")
    parser.add_argument("--seed", type=int, default=1, help="of their settings")
    parser.add_argument("--train-steps", type=int, default=3, metavar="N", help="0: only check")
    parser.add_argument("--size", type=int, default=32, help="of the pictures, in pixels")
    parser.add_argument("--every-jax", type=int, default=4, metavar="N", help="0: none on JAX")
    parser.add_argument("--folder", type=Path, help="where the sheet stays; else it does not")
    parser.add_argument("--train", type=Path, metavar="SHEET", help="train --jobs of it here")
    parser.add_argument("--jobs", nargs="*", default=[], help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.train:
        train_here(options.train, options.jobs, options.train_steps)
        return 0
    every_jax = options.every_jax if find_spec("jax") else 0
    with tempfile.TemporaryDirectory(prefix="random-sheet-") as temporary:
        folder = options.folder or Path(temporary)
        sheet = make_sheet(folder, options.count, options.seed, options.size, every_jax)
        check(sheet)
        outcomes = list(train_all(sheet, options.train_steps)) if options.train_steps else []
    print(report(outcomes))
    print(f"\n{options.count} jobs, seed {options.seed}; {reports.machine()}")
    return 1 if any(each.ending == FAILED for each in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())

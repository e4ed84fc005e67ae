"""A sheet of 2,000 jobs: what its first fifty take of the farm beside what its last fifty take.

Real test cards, trained and rendered by `multitrain run`. It is stopped when the first fifty are
done; copies of one of these then stand for all others but the last fifty, and the same command
goes on. What counts is the processor time of the farm and of the render worker themselves, without
the programs that they start, from the first of fifty that is done to the last one.

`python -m benchmarks.many_jobs` trains all 2,000, hundred by hundred, which takes about an hour.
"""

from __future__ import annotations

import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Sequence
from itertools import count, pairwise
from pathlib import Path

import psutil
from PIL import Image

from benchmarks import processes, reports
from benchmarks.figures import Effort, Figure
from benchmarks.peers.process import CODE
from jobs.errors import ExitCode, MultitrainError
from jobs.workspace.files import remove
from jobs.workspace.paths import JobPaths, Workspace
from render.films.earlier import outputs_by_job

JOBS, MEASURED = 2000, 50
PART = 100  # jobs, when all are trained
QUICK_JOBS, QUICK_MEASURED = 8, 2
ROUNDS = 1  # at most: each is a run of two hundred trainings
LIMIT = 1.25

FOLDER, PICTURES, SIDE = "pictures", 8, 32
HEADER = "name,family,dataset,grid_width,grid_height,video_length"
OPTIONS = ("--gpus", "cpu", "--slots", "2")
WHO = ("farm", "render worker")
PATIENCE_SECONDS = 60.0  # for a farm to drain
TICK = 1 / os.sysconf("SC_CLK_TCK")  # seconds: processor time comes in these

_DONE = re.compile(r": done$")

Spent = dict[str, float]  # seconds of processor time by WHO


def measure(effort: Effort) -> list[Figure]:
    """Processor time per job in the last jobs over that in the first ones."""
    jobs, measured = (QUICK_JOBS, QUICK_MEASURED) if effort.quick else (JOBS, MEASURED)
    rounds = []
    for _ in range(min(ROUNDS, effort.repetitions)):
        with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
            rounds.append(first_and_last(Workspace(Path(folder)), jobs, measured))
    figures = []
    for who in WHO:
        first, last = (statistics.median(pair[at][who] for pair in rounds) for at in (0, 1))
        beside = {"first, ms/job": 1000 * first, "last, ms/job": 1000 * last}
        name = f"{who}, last {measured} of {jobs} jobs / first {measured}"
        figures.append(Figure(name, last / max(first, TICK), "x", LIMIT, False, beside))
    return figures


def first_and_last(workspace: Workspace, jobs: int, measured: int) -> tuple[Spent, Spent]:
    """Seconds per job in the first `measured` jobs of a sheet, and in the last ones."""
    names = _write_sheet(workspace, jobs)
    first = _first_to_last(workspace, measured, ExitCode.DRAINED)
    there = outputs_by_job(workspace.renders, names)
    for name in names[1 : jobs - measured]:
        for part in (workspace.job(name).run, *there[name]):
            remove(part)
        _copy_done_job(workspace.job(names[0]), workspace.job(name), there[names[0]])
    last = _first_to_last(workspace, measured, ExitCode.DONE)
    missing = [name for name in names if not workspace.job(name).film().exists()]
    if missing:
        raise MultitrainError(f"there are no films of {', '.join(missing[:3])}")
    return first, last


def main() -> int:
    """The whole sheet, and what each hundred of its jobs took; 0 where all films are there."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        workspace = Workspace(Path(folder))
        names = _write_sheet(workspace, JOBS)
        marks = range(PART, JOBS + 1, PART)
        moments = [dict.fromkeys(WHO, 0.0), *_run(workspace, marks, ExitCode.DONE)]
        parts = [
            (f"{mark - PART + 1} to {mark}", *(f"{1000 * each:.0f}" for each in _per_job(*pair)))
            for mark, pair in zip(marks, pairwise(moments), strict=True)
        ]
        print(reports.table(("jobs", *(f"{who}, ms/job" for who in WHO)), parts))
        missing = [name for name in names if not workspace.job(name).film().exists()]
        print(f"{JOBS - len(missing)} of {JOBS} films are there")
        return 1 if missing else 0


def _per_job(before: Spent, after: Spent) -> list[float]:
    return [(after[who] - before[who]) / PART for who in WHO]


def draw_pictures(folder: Path) -> None:
    """A data set of some tiny ones."""
    folder.mkdir(parents=True)
    for number in range(PICTURES):
        Image.effect_noise((SIDE, SIDE), 50).convert("RGB").save(folder / f"{number}.png")


def _write_sheet(workspace: Workspace, jobs: int) -> list[str]:
    """The sheet and its data set; returns the names of its jobs."""
    names = [f"card{number:04d}" for number in range(jobs)]
    draw_pictures(workspace.dataset(FOLDER))
    rows = [f"{name},testcard,{FOLDER},2,1,0.01" for name in names]
    (workspace.root / "sheet.csv").write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return names


def _first_to_last(workspace: Workspace, measured: int, code: ExitCode) -> Spent:
    """What each job took of the farm while it made so many."""
    first, last = _run(workspace, (1, measured), code)
    return {who: (last[who] - first[who]) / max(1, measured - 1) for who in WHO}


def _run(workspace: Workspace, marks: Sequence[int], code: ExitCode) -> list[Spent]:
    """What was spent when so many jobs were done, for each of `marks`; then the farm is stopped."""
    command = [sys.executable, "-m", "multitrain", "run", "sheet.csv", *OPTIONS]
    with subprocess.Popen(
        command,
        cwd=workspace.root,
        env={**os.environ, "PYTHONPATH": str(CODE)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as farm:
        try:
            return _watch(farm, marks, code)
        finally:
            if farm.poll() is None:
                farm.kill()


def _watch(farm: subprocess.Popen[str], marks: Sequence[int], code: ExitCode) -> list[Spent]:
    assert farm.stdout
    spent: list[Spent] = []
    done, said = count(1), deque[str](maxlen=10)
    for line in farm.stdout:
        said.append(line)
        if not _DONE.search(line):
            continue
        number = next(done)
        if number in marks:
            spent.append(_spent_by(farm.pid))
        if number == marks[-1]:
            farm.send_signal(signal.SIGTERM)
    ended = farm.wait(PATIENCE_SECONDS)
    if len(spent) < len(marks) or ended not in (code, ExitCode.DONE):
        raise MultitrainError(f"the farm ended with {ended}: {''.join(said)}")
    return spent


def _spent_by(farm: int) -> Spent:
    """By the processes themselves, not by those that they have started."""
    process = psutil.Process(farm)
    found = {"farm": process}
    found |= {kind: each for each in process.children() if (kind := processes.kind(each)) in WHO}
    times = {who: found[who].cpu_times() for who in WHO}
    return {who: float(spent.user + spent.system) for who, spent in times.items()}


def _copy_done_job(done: JobPaths, copy: JobPaths, outputs: Sequence[Path]) -> None:
    """Have a job look as if it were done, by the files of one that is."""
    copy.checkpoints.mkdir(parents=True)
    checkpoints = [done.checkpoint(each) for each in done.checkpoint_names()]
    for file in (done.progress, done.log, done.latest, *checkpoints):
        os.link(file, copy.run / file.relative_to(done.run))
    for output in outputs:
        if output != done.manifest:
            os.link(output, output.with_name(copy.name + output.name.removeprefix(done.name)))
    for source, target in ((done.job_file, copy.job_file), (done.manifest, copy.manifest)):
        text = source.read_text(encoding="utf-8").replace(done.name, copy.name)
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())

"""A thousand jobs through the scheduler: what the farm itself takes, from submission to all done.

Store, folders and job files are real. The executor is not: its trainers and its render worker do
their work within the calls of the farm, and that work is not counted.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Effort, Figure
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths, Workspace
from jobs.workspace.states import State
from jobs.workspace.store import Store
from multitrain.executors import Launch
from multitrain.executors.local import open_log
from multitrain.farm.disk_watch import DiskWatch
from multitrain.farm.farm import Farm
from multitrain.farm.launching import TrainerLaunch, TrainerSettings
from multitrain.farm.render_keeper import RenderKeeper
from multitrain.farm.submission import submit
from multitrain.slots.cpu import CpuPool

JOBS = 1000
SLOTS = 8
LIMIT_SECONDS = 2.0
TICK_SECONDS = 0.25  # of the farm's clock, which does not wait


def measure(effort: Effort) -> list[Figure]:
    """Seconds for all of them: the median of some runs."""
    count = 40 if effort.quick else JOBS
    with TemporaryDirectory() as folder:
        # What one round has made stays for the next ones: after many deletions, a file system may
        # take long to make a file (ext4 spares what was deleted in the last minutes).
        rounds = range(1 if effort.quick else effort.repetitions)
        runs = [_run(count, Workspace(Path(folder, f"round{number}"))) for number in rounds]
    beside = {
        "of processor time, s": statistics.median(run.processor_seconds for run in runs),
        "the same files alone, s": statistics.median(run.files_alone for run in runs),
        "ticks": statistics.median(run.ticks for run in runs),
    }
    seconds = statistics.median(run.seconds for run in runs)
    limit = LIMIT_SECONDS * count / JOBS
    return [Figure(f"{count} jobs through the scheduler", seconds, "s", limit, False, beside)]


@dataclass
class Run:
    """What a farm took by itself: of the clock on the wall and of the processor."""

    seconds: float = 0.0
    processor_seconds: float = 0.0
    files_alone: float = 0.0  # seconds for as many folders and job files, and nothing else
    ticks: int = 0

    @contextmanager
    def counted(self, sign: int = 1) -> Iterator[None]:
        """What happens meanwhile counts, or with -1 does not."""
        wall, processor = time.perf_counter(), time.process_time()
        yield
        self.seconds += sign * (time.perf_counter() - wall)
        self.processor_seconds += sign * (time.process_time() - processor)


def _run(count: int, workspace: Workspace) -> Run:
    jobs = [_job(f"job{number:04d}") for number in range(count)]
    run = Run()
    workspace.renders.mkdir(parents=True)
    run.files_alone = _make_files(Workspace(workspace.root / "alone"), jobs)
    executor = InProcess(workspace, {job.spec.name: job for job in jobs}, run)
    with closing(Store(workspace.store)) as store:
        with run.counted():
            run.ticks = _work_off(_farm(workspace, store, jobs, executor))
        states = {row.state for row in store.jobs()}
    assert states == {State.DONE}, states
    return run


def _make_files(workspace: Workspace, jobs: list[JobFile]) -> float:
    """Seconds of it: what a file system takes, which is not the same every minute."""
    size = len(jobs[0].model_dump_json())
    start = time.perf_counter()
    for paths in (workspace.job(job.spec.name) for job in jobs):
        paths.run.mkdir(parents=True)
        paths.job_file.write_bytes(bytes(size))
    return time.perf_counter() - start


def _farm(workspace: Workspace, store: Store, jobs: list[JobFile], executor: InProcess) -> Farm:
    submit(workspace, store, jobs)
    pool, disk = CpuPool(SLOTS, range(SLOTS)), DiskWatch([workspace.root], 0)
    keeper = RenderKeeper(workspace, executor, encoders=1)
    settings = TrainerSettings(spool_bytes=2**30, keep_free_bytes=0, lifeline=0)
    return Farm(workspace, store, jobs, pool, disk, executor, keeper, settings)


def _work_off(farm: Farm) -> int:
    ticks = 0
    while not farm.finished:
        farm.tick(ticks * TICK_SECONDS)
        farm.waiting_for()  # as whoever shows it asks at every tick
        ticks += 1
    assert not farm.close()
    return ticks


def _job(name: str) -> JobFile:
    cells = {"name": name, "dataset": "d", "grid_width": 3, "grid_height": 3, "video_length": 0.1}
    return JobFile(spec=JobSpec.model_validate(cells), image_width=160, image_height=90)


class InProcess:
    """An `Executor` whose processes are done as soon as they are started."""

    def __init__(self, workspace: Workspace, jobs: dict[str, JobFile], run: Run) -> None:
        self._workspace, self._jobs, self._run = workspace, jobs, run

    def start(self, launch: Launch) -> DoneProcess:
        with self._run.counted(-1):
            if isinstance(launch, TrainerLaunch):
                with open_log(launch):
                    self._train(launch.call.paths)
            return DoneProcess(self, stays=launch.listens)

    def _train(self, paths: JobPaths) -> None:
        frames = self._jobs[paths.name].frames_total
        line = {"time": time.time(), "step": frames // 2, "frame": frames}
        paths.progress.write_text(json.dumps(line) + "\n")

    def render(self, name: str) -> None:
        with self._run.counted(-1):
            self._workspace.job(name).film().touch()
            self._workspace.job(name).manifest.write_text("{}")


class DoneProcess:
    """A trainer, which ends at once, or the render worker, which `stays` until it is hushed."""

    def __init__(self, executor: InProcess, *, stays: bool) -> None:
        self._executor = executor
        self._code = None if stays else 0
        self.pid = 0

    def poll(self) -> int | None:
        return self._code

    def say(self, line: str) -> None:
        self._executor.render(line)

    def hush(self) -> None:
        self._code = 0

    def drain(self) -> None:
        self.hush()

    def kill(self) -> None:
        self.hush()

    def dump_stack(self) -> None:
        return

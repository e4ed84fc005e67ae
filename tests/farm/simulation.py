"""A farm in a glass: slots, processes and a clock that the test turns by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jobs.errors import ExitCode
from jobs.settings.parsing import parse_cells
from jobs.workspace.jobfile import JobFile
from jobs.workspace.outputs import Pictures
from jobs.workspace.paths import CheckpointName, Workspace
from jobs.workspace.store import Store
from multitrain.driver.driver import Gpu
from multitrain.executors import Launch
from multitrain.farm.ahead.preparation import Preparation, Prospect
from multitrain.farm.disk_watch import DiskWatch
from multitrain.farm.events import Event
from multitrain.farm.farm import Farm
from multitrain.farm.launching import TrainerLaunch, TrainerSettings
from multitrain.farm.render_keeper import RenderKeeper
from multitrain.farm.submission import submit
from multitrain.slots.slots import Pool

GIB = 2**30
SECONDS_PER_JOB = 10.0
FIRST_PID = 1000  # of trainers


def make_job(name: str, **cells: str) -> JobFile:
    row = {"dataset": "demo", "grid_width": "2", "grid_height": "2", "video_length": "0.1"}
    spec, mistakes = parse_cells({"name": name, **row, **cells})
    assert spec, mistakes
    return JobFile(spec=spec, image_width=96, image_height=54)


def make_gpus(count: int) -> list[Gpu]:
    return [Gpu(i, f"GPU-{i:04d}", "Test GPU", 24 * GIB, 23 * GIB) for i in range(count)]


@dataclass
class FakeDriver:
    """NVML's part; tests change `devices` as they like."""

    devices: list[Gpu]

    def gpus(self) -> list[Gpu]:
        return list(self.devices)


@dataclass
class Outcome:
    """How one start of a trainer goes: it makes `frames` within `seconds`, then ends."""

    code: int = 0
    seconds: float = SECONDS_PER_JOB
    frames: int | None = None  # None: all
    failure: dict[str, str] | None = None
    checkpoint: CheckpointName | None = None  # the newest one that it leaves
    drains: bool = True
    dies: bool = True  # else it is in a call of a driver that never comes back


@dataclass
class SimulatedTrainer:
    launch: Launch
    outcome: Outcome
    total: int
    run: Path
    clock: Callable[[], float]
    started: float
    signalled: int | None = None
    dumped: bool = False
    pid: int = 0

    def poll(self) -> int | None:
        if self.signalled is not None:
            return self.signalled
        if self.clock() - self.started < self.outcome.seconds:
            return None
        self.make(self.total if self.outcome.frames is None else self.outcome.frames)
        if self.outcome.checkpoint:
            checkpoints = self.run / "checkpoints"
            checkpoints.mkdir(exist_ok=True)
            (checkpoints / f"{self.outcome.checkpoint}.h5").touch()
        if self.outcome.failure:
            (self.run / "training_failure.json").write_text(json.dumps(self.outcome.failure))
        return self.outcome.code

    def drain(self) -> None:
        if self.outcome.drains:
            self.signalled = int(ExitCode.DRAINED)

    def dump_stack(self) -> None:
        self.dumped = True

    def make(self, frames: int, step: int | None = None) -> None:
        """Tell of so many frames in all, after `step`; None: two of them in each step."""
        step = frames // 2 if step is None else step
        line = {"time": self.clock(), "step": step, "frame": frames}
        with (self.run / "progress.jsonl").open("a") as progress:
            progress.write(json.dumps(line) + "\n")

    def kill(self) -> None:
        if self.outcome.dies:
            self.signalled = -9

    def say(self, line: str) -> None:
        raise AssertionError("trainers do not listen")

    hush = kill


@dataclass
class SimulatedWorker:
    """Finishes the film of every job whose frames are all there."""

    workspace: Workspace
    all_jobs: Sequence[JobFile]
    failures: dict[str, dict[str, str]]
    slow: set[str]  # jobs whose films take until the test removes them from here
    jobs: list[str] = field(default_factory=list)
    code: int | None = None
    pid: int = 999

    def poll(self) -> int | None:
        totals = {job.spec.name: job.frames_total for job in self.all_jobs}
        for name in self.jobs:
            paths = self.workspace.job(name)
            if paths.manifest.exists():
                continue
            if name in self.failures:
                paths.render_failure.write_text(json.dumps(self.failures[name]))
            elif name not in self.slow and _frames(paths.progress) == totals[name]:
                paths.manifest.parent.mkdir(exist_ok=True)
                for video in (paths.timecut(1), paths.film()):
                    video.touch()
                told = {"films": [], "timecuts": []}
                told["made_of_the_film"] = [{"made": str(Pictures(None))}]
                paths.manifest.write_text(json.dumps(told))
        return self.code

    def say(self, line: str) -> None:
        self.jobs.append(line)

    def hush(self) -> None:
        self.code = 0

    def kill(self) -> None:
        self.code = -9

    drain = dump_stack = kill


def _frames(progress: Path) -> int:
    if not progress.exists():
        return 0
    return int(json.loads(progress.read_text().splitlines()[-1])["frame"])


class Recording:
    """A `Preparation` that makes nothing ready and tells what it was shown."""

    def __init__(self) -> None:
        self.prospects: list[Prospect] = []
        self.ended = self.is_gone = False

    def prepare(self, prospect: Prospect, now: float) -> None:
        assert not self.ended
        self.prospects.append(prospect)

    def end(self, now: float) -> None:
        self.ended = True

    def is_idle(self, now: float) -> bool:
        return self.is_gone

    def seen(self) -> tuple[list[str], list[str], bool]:
        """Names of the running and of the queued jobs, and whether all was calm."""
        last = self.prospects[-1]
        return [job.name for job in last.running], [job.name for job in last.queued], last.is_calm


class Simulation:
    """Jobs, a pool and an executor in virtual time."""

    def __init__(self, workspace: Workspace, jobs: Sequence[JobFile], pool: Pool) -> None:
        self.workspace, self.jobs, self.pool = workspace, list(jobs), pool
        self.now = 1000.0
        self.outcomes: dict[str, list[Outcome]] = {}
        self.render_failures: dict[str, dict[str, str]] = {}
        self.slow_films: set[str] = set()
        self.launches: list[TrainerLaunch] = []
        self.trainers: list[SimulatedTrainer] = []
        self.free_bytes = 100 * GIB
        self.workers: list[SimulatedWorker] = []
        self.events: list[Event] = []
        self.store = Store(workspace.store)
        submit(workspace, self.store, self.jobs)
        self.farm = self.make_farm()

    def make_farm(self, *preparations: Preparation) -> Farm:
        keeper = RenderKeeper(self.workspace, self, encoders=1)
        settings = TrainerSettings(spool_bytes=1, keep_free_bytes=GIB, lifeline=0)
        disk = DiskWatch([self.workspace.root], GIB, lambda _: self.free_bytes)
        return Farm(
            self.workspace,
            self.store,
            self.jobs,
            self.pool,
            disk,
            self,
            keeper,
            settings,
            preparations,
        )

    def start(self, launch: Launch) -> SimulatedTrainer | SimulatedWorker:
        if not isinstance(launch, TrainerLaunch):
            told = (self.jobs, self.render_failures, self.slow_films)
            self.workers.append(SimulatedWorker(self.workspace, *told))
            return self.workers[-1]
        self.launches.append(launch)
        name = launch.call.job
        total = next(job.frames_total for job in reversed(self.jobs) if job.spec.name == name)
        outcome = self.outcomes[name].pop(0) if self.outcomes.get(name) else Outcome()
        run = self.workspace.job(name).run
        told = (launch, outcome, total, run, lambda: self.now, self.now)
        self.trainers.append(SimulatedTrainer(*told, pid=FIRST_PID + len(self.trainers)))
        return self.trainers[-1]

    def tick(self, seconds: float = 1.0) -> list[Event]:
        happened = self.farm.tick(self.now)
        self.events += happened
        self.now += seconds
        return happened

    def run(self, ticks: int = 1000) -> None:
        for _ in range(ticks):
            if self.farm.finished:
                return
            self.tick()
        raise AssertionError("the farm does not come to an end")

    def states(self) -> dict[str, str]:
        return {row.name: str(row.state) for row in self.store.jobs()}

    def started(self) -> list[str]:
        """Names of the jobs in the order of their starts."""
        return [launch.call.job for launch in self.launches]


Simulate = Callable[[Sequence[JobFile], Pool], Simulation]

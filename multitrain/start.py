"""From the jobs of a sheet to a running farm: every part made and put together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from jobs.disk import means_full
from jobs.errors import ExitCode, MultitrainError, UsageError
from jobs.jobfile import JobFile
from jobs.outputs import format_of
from jobs.paths import Workspace
from jobs.pictures import DEMO, demo_is_built_in
from jobs.store import JobRow, Store
from multitrain import night
from multitrain.datasets.drawn.demo import ensure_demo
from multitrain.deliveries import unsent_files
from multitrain.disk_watch import DiskWatch
from multitrain.display import Display, open_display
from multitrain.executors.local import LocalExecutor
from multitrain.farm import Farm, check_slots
from multitrain.launching import TrainerSettings, open_lifeline
from multitrain.machine import (
    default_encoders,
    default_keep_free_bytes,
    default_spool_bytes,
    open_pool,
)
from multitrain.pictures_ahead import PicturesAhead
from multitrain.render_keeper import RenderKeeper
from multitrain.slots import Pool
from multitrain.spare_keeper import SpareKeeper
from multitrain.submission import make_room, submit
from multitrain.writable import check_writable, is_full
from render import ffmpeg

GIB = 2**30


@dataclass(frozen=True)
class RunOptions:
    """The options of `multitrain run`; None stands for a default that fits the machine."""

    gpus: str = "all"
    slots: int | None = None
    fresh: bool = False
    deterministic: bool = False
    encoders: int | None = None
    spool_gb: float | None = None
    keep_free_gb: float | None = None


@dataclass(frozen=True)
class Outcome:
    """How a farm has ended: its exit code, and where its jobs stand."""

    code: ExitCode
    rows: list[JobRow]


def run_jobs(
    workspace: Workspace, jobs: Sequence[JobFile], options: RunOptions, console: Console
) -> Outcome:
    """Train and render `jobs`; returns when all have ended or somebody has stopped the farm.

    UsageError, before anything is started, where the machine or the workspace cannot take them.
    """
    with night.StopSignals() as stop, closing(open_display(console)) as display:
        pool = open_pool(options.gpus, options.slots, display.note)
        check_slots(jobs, pool)
        _check_encoders(jobs)
        for folder in (workspace.runs, workspace.renders):
            check_writable(folder, may_be_full=True)
        with night.hold(workspace, display, stop) as lock:
            if is_full(workspace.runs):
                make_room(workspace, jobs, fresh=options.fresh)
            for folder in (workspace.runs, workspace.renders):
                check_writable(folder)
            with closing(Store(workspace.store)) as store:
                for note in submit(workspace, store, jobs, fresh=options.fresh):
                    display.note(note)
                _prepare_demo(workspace, jobs, display)
                farm = _assemble(workspace, store, jobs, pool, options, lock)
                code = night.run(farm, display, stop)
            for note in _unsent(workspace, jobs):
                display.note(note)
            return Outcome(code, farm.rows())


def _check_encoders(jobs: Sequence[JobFile]) -> None:
    """UsageError where no ffmpeg here makes a format that a job asks for.

    x264 and NVENC are asked for when they are needed: there, something is always found.
    """
    wanted = {name for job in jobs if job.spec.render_video for name in job.spec.format}
    wanted |= {format_of(loop, job.spec) for job in jobs for loop in job.spec.loops or ()}
    for name in sorted(wanted - {"h264"}):
        try:
            ffmpeg.find(name)
        except MultitrainError as error:
            if not means_full(error):  # then nobody can be asked, and there is no harm in waiting
                raise UsageError(str(error)) from error


def _disks(workspace: Workspace) -> list[Path]:
    """A folder on each disk that is written to."""
    by_device = {path.stat().st_dev: path for path in (workspace.renders, workspace.runs)}
    return list(by_device.values())


def _step_bytes(job: JobFile) -> int:
    return job.plan.frame_bytes * job.plan.frames_per_step


def _unsent(workspace: Workspace, jobs: Sequence[JobFile]) -> Iterator[str]:
    """A line for each job with files that did not arrive where they are to go."""
    for job in jobs:
        name = job.spec.name
        if unsent := unsent_files(workspace.job(name), job):
            yield f"{name}: {len(unsent)} files were not sent (log: {workspace.render_log})"


def _prepare_demo(workspace: Workspace, jobs: Sequence[JobFile], display: Display) -> None:
    wanted = any(DEMO in job.spec.folders for job in jobs)
    if wanted and demo_is_built_in(workspace.dataset(DEMO)):
        display.note("drawing the built-in pictures")
        ensure_demo(workspace)


def _assemble(
    workspace: Workspace,
    store: Store,
    jobs: Sequence[JobFile],
    pool: Pool,
    options: RunOptions,
    lock: int,
) -> Farm:
    executor = LocalExecutor()
    encoders = options.encoders or default_encoders()
    spool = round((options.spool_gb or 0) * GIB) or default_spool_bytes(workspace.runs)
    keep_free = default_keep_free_bytes(workspace.runs)
    if options.keep_free_gb is not None:
        keep_free = round(options.keep_free_gb * GIB)
    settings = TrainerSettings(
        # An equal share for each job that trains, and one for all that have trained.
        spool_bytes=spool // (min(pool.size, len(jobs)) + 1),
        keep_free_bytes=keep_free,
        lifeline=open_lifeline(),
        descriptors=(lock,),
        deterministic=options.deterministic,
    )
    spare = SpareKeeper(executor, settings, pool.example())
    pictures = PicturesAhead(workspace, executor, settings)
    keeper = RenderKeeper(
        workspace, executor, encoders, [lock], pool.environment, keep_free=keep_free
    )
    # Trainers wait when not even one more step would fit above the floor.
    disk = DiskWatch(_disks(workspace), keep_free and keep_free + max(map(_step_bytes, jobs)))
    ready = (spare, pictures)
    return Farm(workspace, store, jobs, pool, disk, spare, keeper, settings, ready)

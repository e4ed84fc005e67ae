"""From the jobs of a sheet to a running farm: every part made and put together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from jobs.errors import ExitCode, MultitrainError, UsageError
from jobs.pictures.finding import DEMO, demo_is_built_in
from jobs.units import bytes_for_people
from jobs.workspace.disk import means_full
from jobs.workspace.jobfile import JobFile
from jobs.workspace.outputs import format_of
from jobs.workspace.paths import Workspace
from jobs.workspace.store import JobRow, Store
from multitrain.commands.run import loop as night
from multitrain.commands.run.display import open_display
from multitrain.datasets.decoded.compressing import FORMATS
from multitrain.datasets.drawn.demo import ensure_demo
from multitrain.datasets.made import making
from multitrain.executors.local import LocalExecutor
from multitrain.farm.ahead.pictures_ahead import PicturesAhead
from multitrain.farm.ahead.spare_keeper import SpareKeeper
from multitrain.farm.disk_watch import DiskWatch
from multitrain.farm.events import Happening
from multitrain.farm.farm import Farm, Habits, check_slots
from multitrain.farm.hours import Hours
from multitrain.farm.launching import TrainerSettings, open_lifeline
from multitrain.farm.rebuilding import leave_whole, open_store
from multitrain.farm.render_keeper import RenderKeeper
from multitrain.farm.submission import finish_all_moves, make_room, submit, unfinished
from multitrain.farm.unsent import unsent_files
from multitrain.farm.workspace_lock import WorkspaceLock, hold
from multitrain.farm.writable import check_writable, is_full
from multitrain.machine.defaults import (
    default_encoders,
    default_keep_free_bytes,
    default_spool_bytes,
)
from multitrain.slots.opening import open_pool
from multitrain.slots.slots import Pool
from render.encoding import ffmpeg
from render.files import claims
from render.films.earlier import earlier_bytes

GIB = 2**30


@dataclass(frozen=True)
class RunOptions:
    """The options of `multitrain run`; None stands for a default that fits the machine."""

    gpus: str = "all"
    slots: int | None = None
    per_gpu: int = 1  # jobs that share one
    fresh: tuple[str, ...] = ()  # names of jobs that start over, or `all`
    deterministic: bool = False
    encoders: int | None = None
    spool_gb: float | None = None
    keep_free_gb: float | None = None
    stay: bool = False  # wait for further sheets when all is done
    hours: Hours | None = None  # of the day, in which it trains
    on_night_done: str = ""  # a command or an address, for when all is done


@dataclass(frozen=True)
class Outcome:
    """How a farm has ended: its exit code, and where its jobs stand."""

    code: ExitCode
    rows: list[JobRow]


def run_jobs(
    workspace: Workspace,
    jobs: Sequence[JobFile] | None,
    options: RunOptions,
    console: Console,
    untold: Collection[Happening] = (),
    words: night.StopWords = night.OF_A_FARM,
) -> Outcome:
    """Train and render `jobs`; returns when all have ended or somebody has stopped the farm.

    None: all jobs of the workspace that have not ended. Those that were put into the queue of a
    farm (`multitrain submit`) are taken up in any case. Happenings in `untold` are not shown;
    `words` are said when it is stopped.

    UsageError, before anything is started, where the machine or the workspace cannot take the jobs.
    """
    with night.StopSignals() as stop, closing(open_display(console, untold)) as display:
        pool = open_pool(options.gpus, options.slots, display.note, per_gpu=options.per_gpu)
        check_slots(jobs or (), pool)
        _check_encoders(jobs or ())
        for folder in (workspace.runs, workspace.renders):
            check_writable(folder, may_be_full=True)
        with hold(workspace, display.note, stop) as lock:
            _sweep(workspace)
            if is_full(workspace.runs):
                finish_all_moves(workspace)
                make_room(workspace, jobs or ())
            for folder in (workspace.runs, workspace.renders):
                check_writable(folder)
            with closing(open_store(workspace, display.note)) as store:
                wanted = [*(jobs or ()), *_of_before(workspace, store, jobs, display.note)]
                check_slots(wanted, pool)
                entries = submit(workspace, store, wanted, options.fresh)
                for note in (note for entry in entries for note in entry.notes):
                    display.note(note)
                jobs = [entry.job for entry in entries]
                prepare_demo(workspace, jobs, display.note)
                farm = _assemble(workspace, store, jobs, pool, options, lock)
                code = night.run(farm, display, stop, lock.look, words)
            leave_whole(workspace, farm.rows(), farm.files(), display.note)
            for note in _unsent(workspace, jobs):
                display.note(note)
            return Outcome(code, farm.rows())


def _of_before(
    workspace: Workspace,
    store: Store,
    jobs: Sequence[JobFile] | None,
    note: Callable[[str], None],
) -> list[JobFile]:
    """The jobs of before that are taken up beside those of a sheet."""
    found, lost = unfinished(workspace, store, only_for_every_farm=jobs is not None)
    for name in lost:
        note(f"{name}: its settings are not known any more; run its sheet again")
    of_sheet = {job.spec.name for job in jobs or ()}
    return [job for job in found if job.spec.name not in of_sheet]


def _sweep(workspace: Workspace) -> None:
    """Remove what commands that were killed have left half-made."""
    for folder in {workspace.renders, workspace.root, Path.cwd()}:
        claims.sweep(folder)
    making.sweep(workspace.data)


def _check_encoders(jobs: Sequence[JobFile]) -> None:
    """UsageError where no ffmpeg here makes a format that a job asks for, or learns of.

    H.264 is not checked: of x264 and NVENC, one is always found when it is needed.
    """
    wanted = {name for job in jobs if job.spec.render_video for name in job.spec.format}
    wanted |= {format_of(loop, job.spec) for job in jobs for loop in job.spec.loops or ()}
    codecs = [feed.codec["codec"] for job in jobs for feed in job.feeds if feed.codec]
    wanted |= {FORMATS[each] for each in codecs}
    for name in sorted(wanted - {"h264"}):
        try:
            ffmpeg.find(name)
        except MultitrainError as error:
            if not means_full(error):  # a full disk: no ffmpeg can be tried now
                raise UsageError(str(error)) from error


def _disks(workspace: Workspace) -> list[Path]:
    """A folder on each disk that is written to."""
    by_device = {path.stat().st_dev: path for path in (workspace.renders, workspace.runs)}
    return list(by_device.values())


def _room_in_earlier(workspace: Workspace) -> str:
    kept = earlier_bytes(workspace)
    return f"earlier films take {bytes_for_people(kept)} (multitrain earlier)" if kept else ""


def _step_bytes(job: JobFile) -> int:
    return job.plan.frame_bytes * job.plan.timing.frames_per_step


def _unsent(workspace: Workspace, jobs: Sequence[JobFile]) -> Iterator[str]:
    """A line for each job that has files which were not sent to their destination."""
    for job in jobs:
        name = job.spec.name
        if unsent := unsent_files(workspace.job(name), job):
            yield f"{name}: {len(unsent)} files were not sent (log: {workspace.render_log})"


def prepare_demo(
    workspace: Workspace, jobs: Sequence[JobFile], note: Callable[[str], None]
) -> None:
    """Draw the built-in pictures, where jobs are to train on them."""
    wanted = any(DEMO in feed.folders for job in jobs for feed in job.feeds)
    if wanted and demo_is_built_in(workspace.dataset(DEMO)):
        note("drawing the built-in pictures")
        ensure_demo(workspace)


def _assemble(
    workspace: Workspace,
    store: Store,
    jobs: Sequence[JobFile],
    pool: Pool,
    options: RunOptions,
    lock: WorkspaceLock,
) -> Farm:
    executor = LocalExecutor()
    encoders = options.encoders or default_encoders()
    spool = round((options.spool_gb or 0) * GIB) or default_spool_bytes(workspace.runs)
    keep_free = default_keep_free_bytes(workspace.runs)
    if options.keep_free_gb is not None:
        keep_free = round(options.keep_free_gb * GIB)
    settings = TrainerSettings(
        # An equal share for each slot, and one for all jobs that have trained.
        spool_bytes=spool // (pool.size + 1),
        keep_free_bytes=keep_free,
        lifeline=open_lifeline(),
        descriptors=lock.descriptors,
        deterministic=options.deterministic,
    )
    spare = SpareKeeper(executor, settings, pool.example())
    pictures = PicturesAhead(workspace, executor, settings)
    keeper = RenderKeeper(
        workspace, executor, encoders, lock.descriptors, pool.environment, keep_free=keep_free
    )
    disk = DiskWatch(_disks(workspace), keep_free, advice=lambda: _room_in_earlier(workspace))
    disk.expect(max(map(_step_bytes, jobs), default=0))

    def admit(jobs: Sequence[JobFile]) -> None:
        check_slots(jobs, pool)
        _check_encoders(jobs)
        disk.expect(max(map(_step_bytes, jobs), default=0))

    return Farm(
        workspace,
        store,
        jobs,
        pool,
        disk,
        spare,
        keeper,
        settings,
        preparations=(spare, pictures),
        admit=admit,
        since_ns=lock.since_ns,
        habits=Habits(options.stay, options.hours, options.on_night_done),
    )

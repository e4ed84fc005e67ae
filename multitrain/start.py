"""From the jobs of a sheet to a running farm: every part made and put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console

from jobs.errors import ExitCode
from jobs.jobfile import JobFile
from jobs.paths import Workspace
from jobs.pictures import DEMO
from jobs.store import Store
from multitrain import night
from multitrain.datasets.demo import ensure_demo
from multitrain.display import open_display
from multitrain.executors.local import LocalExecutor
from multitrain.farm import Farm, TrainerSettings, check_slots, open_lifeline
from multitrain.machine import default_encoders, default_spool_bytes, open_pool
from multitrain.rendering import RenderRoom
from multitrain.slots import Pool
from multitrain.submission import submit

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


def run_jobs(
    workspace: Workspace, jobs: Sequence[JobFile], options: RunOptions, console: Console
) -> ExitCode:
    """Train and render `jobs`; returns when all have ended or somebody has stopped the farm.

    UsageError, before anything is started, where the machine or the workspace cannot take them.
    """
    display = open_display(console)
    try:
        pool = open_pool(options.gpus, options.slots, display.note)
        check_slots(jobs, pool)
        with night.hold(workspace, display) as lock:
            store = Store(workspace.store)
            submit(workspace, store, jobs, fresh=options.fresh)
            if any(DEMO in job.spec.dataset for job in jobs):
                ensure_demo(workspace)
            farm = _assemble(workspace, store, jobs, pool, options, lock)
            code = night.run(farm, display, len(jobs))
            store.close()
            return code
    finally:
        display.close()


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
    spool = round(options.spool_gb * GIB) if options.spool_gb else None
    settings = TrainerSettings(
        spool_bytes=(spool or default_spool_bytes(workspace.root)) // min(pool.size, len(jobs)),
        lifeline=open_lifeline(),
        descriptors=(lock,),
        deterministic=options.deterministic,
    )
    room = RenderRoom(workspace, executor, encoders, descriptors=[lock])
    return Farm(workspace, store, jobs, pool, executor, room, settings)

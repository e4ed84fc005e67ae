"""`check --measure`: the start of each kind of job in a sheet, trained and rendered to be timed.

A small farm runs shortened jobs on the same slots, in a temporary workspace. Their output is
deleted; their speeds are kept.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from rich.console import Console

from jobs.errors import ExitCode, UsageError
from jobs.settings.choices import Snapshot
from jobs.settings.spec import COLUMNS, GROUP_OF, facets
from jobs.workspace.at_work import is_held
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.commands.run.assembling import RunOptions, run_jobs
from multitrain.commands.run.display import LineDisplay
from multitrain.commands.run.loop import StopSignals, StopWords
from multitrain.farm.events import Happening
from multitrain.farm.workspace_lock import hold
from multitrain.forecasts.forecasting import START_SECONDS, Forecaster
from multitrain.forecasts.speeds import RARE, Cost, add_speeds, read_speeds
from multitrain.slots.cpu import CpuPool
from multitrain.slots.slots import Pool

TIMED_SECONDS = 10.0  # of training, approximately
OF_FILMS = frozenset({Happening.PUBLISHED, Happening.TRAINED, Happening.DONE})  # not shown
FEWEST_STEPS = RARE
STOPPING = StopWords(
    "stopping: what was measured until now is kept; once more ends at once",
    "ending at once; what was measured until now is kept",
)
LEAST_STEP = 1e-3  # seconds: of the tiniest networks
ON_CORES, ON_GPU = 3e10, 3e12  # operations a second: guesses

# Settings that do not affect the speed of a training, or would reach other machines.
_WITHOUT = {
    column: COLUMNS[column].default
    for column in COLUMNS
    if facets(column).concerns in ("origin", "beside")
} | {"retries": 0}
_ANY_LENGTH = dict.fromkeys(GROUP_OF["video_length"])


def unknown(jobs: Sequence[JobFile], forecaster: Forecaster) -> list[JobFile]:
    """One job for each cost of which no speed is known."""
    by_cost = {(Cost.of(job), job.spec.gpus): job for job in reversed(jobs)}
    return [job for job in reversed(by_cost.values()) if not forecaster.knows(job)]


def shortened(job: JobFile, forecaster: Forecaster, pool: Pool) -> JobFile:
    """`job` with about as many steps as take `TIMED_SECONDS`, and a film of those."""
    step = forecaster.step(job)
    guess = Cost.of(job).operations / (ON_CORES if isinstance(pool, CpuPool) else ON_GPU)
    seconds = step.seconds if step else max(LEAST_STEP, guess)
    steps = max(FEWEST_STEPS, round(TIMED_SECONDS / seconds))
    columns: dict[str, object] = {**_WITHOUT, **_ANY_LENGTH, "first_frame_after": 0}
    if job.spec.steps_per_frame > steps:  # at least RARE, so such a film's steps cost the same
        columns["snapshot"] = Snapshot.parse(steps)
    steps = min(steps, job.plan.steps_total)
    spec = job.spec.model_copy(update={**columns, "steps": steps})
    return job.replaced(spec=spec, settled=(), first_frames_total=None)


def seconds_to_measure(jobs: Sequence[JobFile], slots: int) -> float:
    """About how many seconds `measure` will take on `slots` slots."""
    return len(jobs) * (START_SECONDS + 2 * TIMED_SECONDS) / slots


def measure(
    workspace: Workspace, jobs: Sequence[JobFile], options: RunOptions, console: Console, what: str
) -> ExitCode:
    """Run the shortened `jobs` and keep their speeds; `what` is printed first.

    UsageError, before anything is printed, where a farm or another measurement is at work here:
    either would slow the other down. None can begin meanwhile.
    """
    with ExitStack() as stack:
        with StopSignals() as stop:
            display = LineDisplay(console)
            stack.enter_context(hold(workspace, display.note, stop, "measurement"))
        scratch = stack.enter_context(scratch_workspace(workspace))
        console.print(what, markup=False, highlight=False, soft_wrap=True)
        outcome = run_jobs(scratch, jobs, replace(options, fresh=()), console, OF_FILMS, STOPPING)
        add_speeds(workspace.speeds, read_speeds(scratch.speeds))
        return outcome.code


@contextmanager
def scratch_workspace(workspace: Workspace) -> Iterator[Workspace]:
    """A temporary workspace with the same pictures; the caller holds the lock of `workspace`.

    UsageError where a measurement that was killed has trainers that have not ended yet.
    """
    scratch = Workspace(workspace.measuring)
    if is_held(scratch):
        raise UsageError(
            f"{workspace.root}: trainers of a measurement that was killed have not ended yet; "
            "measure again in a while"
        )
    shutil.rmtree(scratch.root, ignore_errors=True)  # left by a measurement that was killed
    scratch.root.mkdir(parents=True)
    try:
        scratch.runs.mkdir()
        for link, folder in ((scratch.data, workspace.data), (scratch.cache, workspace.cache)):
            folder.mkdir(parents=True, exist_ok=True)
            link.symlink_to(folder.absolute(), target_is_directory=True)
        yield scratch
    finally:
        shutil.rmtree(scratch.root, ignore_errors=True)

"""`multitrain check`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobs.errors import ExitCode, UsageError
from jobs.units import duration
from jobs.workspace.paths import Workspace
from jobs.workspace.store import read_jobs
from multitrain.commands import long_tables
from multitrain.commands.options import (
    ALL_GPUS,
    data_option,
    fresh_option,
    from_page_option,
    gpus_option,
    sheet_argument,
    slots_option,
    workspace_option,
)
from multitrain.commands.sheets import output_console, read_telling

if TYPE_CHECKING:
    from jobs.workspace.jobfile import JobFile
    from multitrain.commands.run.assembling import RunOptions
    from multitrain.farm.entries import Entry
    from multitrain.forecasts.forecasting import Forecaster
    from multitrain.slots.slots import Pool

NAMED = 3  # jobs, at most, in a line on several


@click.command()
@sheet_argument
@gpus_option
@slots_option
@fresh_option
@workspace_option
@data_option
@click.option("--measure", is_flag=True, help="Time the start of jobs whose speed is not known.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@from_page_option
def check(
    sheet: Path,
    gpus: str,
    slots: int | None,
    fresh: tuple[str, ...],
    workspace: Path,
    pictures: Path | None,
    measure: bool,
    as_json: bool,
    from_page: bool,
) -> None:
    """Tell every mistake of SHEET, or what `run` would make of it; nothing is started.

    How long it will take follows from jobs that ran in this workspace. With --measure, the
    first steps of each kind of job that did not are trained; only how fast they were is kept.
    """
    from jobs.workspace.moves import names_with_moves
    from multitrain.commands.estimate import for_machines, table, told_of_earlier
    from multitrain.commands.sheet_forecast import SheetForecast
    from multitrain.farm.submission_plan import plan_submission

    place = Workspace(workspace.absolute())
    jobs = read_telling(sheet, Workspace(place.root, pictures), is_strangers=from_page).jobs
    for name in names_with_moves(place.runs):
        click.echo(f"note: {name}: files are to change their places, which `run` does", err=True)
    entries = plan_submission(place, read_jobs(place.store), jobs, fresh)
    for note in (note for entry in entries for note in (*entry.notes, entry.failure) if note):
        click.echo(f"note: {note}", err=True)
    for note in _told_of_losses(jobs):
        click.echo(f"note: {note}", err=True)
    pool = _pool(gpus, slots, is_needed=measure)
    if pool and measure:
        from multitrain.commands.run.assembling import RunOptions

        _measure(place, entries, pool, RunOptions(gpus=gpus, slots=slots))
    forecast = SheetForecast(place, entries, _forecaster(place, pool), pool.size) if pool else None
    if as_json:
        click.echo(json.dumps(for_machines(entries, forecast.whole if forecast else ()), indent=2))
    else:
        times, night = (forecast.times, forecast.night) if forecast else ([], "")
        long_tables.show(output_console(), table(entries, times, night))
        if forecast and forecast.unknown:
            click.echo(_of_unknown(forecast.unknown))
        if line := told_of_earlier(place, entries):
            click.echo(line)
    if any(entry.failure for entry in entries):  # `run` would end so, too
        raise SystemExit(ExitCode.FAILED)


def _told_of_losses(jobs: Sequence[JobFile]) -> Iterator[str]:
    """What it costs if this machine goes away: a line for all jobs that it costs the same."""
    from render.delivery.losing import told_beforehand

    alike: dict[str, list[str]] = {}
    for job in jobs:
        if told := told_beforehand(job.spec):
            alike.setdefault(told, []).append(job.spec.name)
    for told, names in alike.items():
        more = f" and {len(names) - NAMED} more" if names[NAMED:] else ""
        yield f"{', '.join(names[:NAMED])}{more}: {told}"


def _pool(gpus: str, slots: int | None, *, is_needed: bool) -> Pool | None:
    """The slots; None where `--gpus` is `all` and GPUs cannot be used, which `run` will report."""
    from multitrain.slots.opening import open_pool

    try:
        return open_pool(gpus, slots, lambda _: None)
    except UsageError:
        if is_needed or gpus != ALL_GPUS:
            raise
        return None


def _measure(place: Workspace, entries: Sequence[Entry], pool: Pool, options: RunOptions) -> None:
    """Time the kinds of jobs whose speed is unknown. SystemExit where a user stops it.

    A job that fails is shown, and its speed stays unknown.
    """
    from multitrain.commands.run import measuring
    from multitrain.commands.sheet_forecast import is_due

    forecaster = _forecaster(place, pool)
    wanted = measuring.unknown([entry.job for entry in entries if is_due(entry)], forecaster)
    if not wanted:
        return
    seconds = measuring.seconds_to_measure(wanted, pool.size)
    kinds = "1 kind" if len(wanted) == 1 else f"{len(wanted)} kinds"
    what = f"timing {kinds} of jobs, about {duration(seconds)}"
    short = [measuring.shortened(job, forecaster, pool) for job in wanted]
    console = output_console(sys.stderr)
    if measuring.measure(place, short, options, console, what) is ExitCode.DRAINED:
        raise SystemExit(ExitCode.DRAINED)


def _forecaster(place: Workspace, pool: Pool) -> Forecaster:
    from multitrain.forecasts.forecasting import Forecaster
    from multitrain.forecasts.speeds import read_speeds

    return Forecaster(read_speeds(place.speeds), pool.model)


def _of_unknown(unknown: int) -> str:
    jobs = "1 job takes" if unknown == 1 else f"{unknown} jobs take"
    return f"How long {jobs} is not known yet: `multitrain check --measure` times the first steps."

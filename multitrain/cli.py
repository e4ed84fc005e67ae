"""The command line: each command a few lines over the rooms."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click
from rich.console import Console
from rich.table import Table

from jobs.errors import ExitCode, MultitrainError, UsageError
from jobs.jobfile import JobFile
from jobs.paths import Workspace
from jobs.sheet import Sheet, read_sheet
from jobs.store import JobRow, read_jobs
from jobs.words import nearest, quoted
from multitrain.cli_options import refuse_nan, workspace_option
from multitrain.cli_tinkering import compare, generate, mutate
from multitrain.clip_commands import export, formats, loop, merge, walk
from multitrain.dataset_commands import dataset

if TYPE_CHECKING:
    from multitrain.observe import LoopCount

# The rest is imported by the commands that need it, so that each starts at once.

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

LOG_WIDTH = 200  # columns

sheet_argument = click.argument("sheet", type=click.Path(path_type=Path))


@click.group(context_settings=CONTEXT)
@click.version_option(version("multitrain"), prog_name="multitrain")
def commands() -> None:
    """Train sheets of GANs on all your GPUs and wake up to their films.

    Exit codes: 0 all done, 1 some jobs failed, 2 the sheet or the call is wrong (nothing was
    started), 75 drained (run again to go on).
    """


@commands.command()
@sheet_argument
@click.option("--gpus", default="all", show_default=True, help="all, cpu, or a list such as 0,1.")
@click.option("--slots", type=click.IntRange(1), help="Jobs side by side on CPU cores.")
@workspace_option
@click.option("--fresh", is_flag=True, help="Start these jobs over; what they made is removed.")
@click.option(
    "--deterministic",
    is_flag=True,
    help="The same bits at every run with as many slots; slower.",
)
@click.option("--encoders", type=click.IntRange(1), help="ffmpeg processes side by side.")
@click.option(
    "--spool-gb",
    type=click.FloatRange(0.1, 1e6),
    callback=refuse_nan,
    help="Disk for frames not yet encoded, and for checkpoints.",
)
@click.option(
    "--keep-free-gb",
    type=click.FloatRange(0, 1e6),
    callback=refuse_nan,
    help="Wait, and start nothing, while the disk has less room than this.",
)
@click.pass_context
def run(context: click.Context, /, sheet: Path, workspace: Path, **options: Any) -> None:
    """Train and render every job of SHEET; run again to go on with what is unfinished."""
    from multitrain.start import RunOptions, run_jobs

    place = Workspace(workspace.absolute())
    jobs = _read(sheet, place).jobs
    outcome = run_jobs(place, jobs, RunOptions(**options), _console())
    with suppress(OSError, SystemExit):  # a terminal that has closed does not change the outcome
        _print_rows(outcome.rows)
    context.exit(outcome.code)


@commands.command()
@sheet_argument
@workspace_option
def check(sheet: Path, workspace: Path) -> None:
    """Tell every mistake of SHEET, or what it would make; nothing is started."""
    from multitrain.estimate import table

    jobs = _read(sheet, Workspace(workspace.absolute())).jobs
    _console().print(table(jobs))


@commands.command()
@sheet_argument
@click.argument("job")
@click.option("--changed", is_flag=True, help="Only settings that differ from their defaults.")
@click.option("--json", "as_json", is_flag=True, help="Settings and layers, for machines.")
@workspace_option
def show(sheet: Path, job: str, changed: bool, as_json: bool, workspace: Path) -> None:
    """Print JOB of SHEET as a sheet of its own, and the layers of its networks.

    The sheet goes to standard output, in YAML and with every setting spelt out; the table of the
    layers to standard error. So `multitrain show a.csv night > night.yaml` makes a sheet.
    """
    from jobs.forms.nested_form import nested, sheet_text
    from multitrain import layer_table

    found = _job_named(job, _read(sheet, Workspace(workspace.absolute())))
    layers = {} if found.spec.family == "testcard" else layer_table.networks(found)
    if as_json:
        settings = nested(found.spec, changed=changed)
        told = {"settings": settings, "layers": layer_table.for_machines(layers)}
        click.echo(json.dumps(told, indent=2))
        return
    click.echo(sheet_text([found.spec], changed=changed), nl=False)
    if layers:
        _console(sys.stderr).print(layer_table.table(layers), highlight=False)


@commands.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@workspace_option
def status(as_json: bool, workspace: Path) -> None:
    """Tell where every job of the workspace stands."""
    from multitrain.night import is_held
    from multitrain.observe import loops_of

    place = Workspace(workspace.absolute())
    rows = read_jobs(place.store)
    loops = {row.name: loops_of(place.job(row.name)) for row in rows}
    if as_json:
        told = [{**asdict(row), **loops[row.name]._asdict()} for row in rows]
        click.echo(json.dumps(told, indent=2))
        return
    if not rows:
        click.echo("No jobs yet: start some with `multitrain run SHEET`.")
        return
    _print_rows(rows, loops)
    if not is_held(place) and any(not row.state.ended for row in rows):
        click.echo("No farm is running here: `multitrain run SHEET` goes on.")


CLIPS = (formats, export, loop, walk, merge)  # a module each

for command in (generate, mutate, compare, dataset, *(each.command for each in CLIPS)):
    commands.add_command(command)


def _console(stream: TextIO | None = None) -> Console:
    """The terminal; a file or pipe gets lines that need not be folded."""
    stream = stream or sys.stdout
    return Console(file=stream, width=None if stream.isatty() else LOG_WIDTH)


def _read(path: Path, workspace: Workspace) -> Sheet:
    sheet = read_sheet(path, workspace)
    for warning in sheet.warnings:
        click.echo(f"note: {warning}", err=True)
    return sheet


def _job_named(name: str, sheet: Sheet) -> JobFile:
    jobs = {job.spec.name: job for job in sheet.jobs}
    if name not in jobs:
        raise UsageError(f"there is no job {quoted(name)} in this sheet{nearest(name, jobs)}")
    return jobs[name]


def _print_rows(rows: Sequence[JobRow], loops: Mapping[str, LoopCount] | None = None) -> None:
    """`loops` by job: shown where any job has some."""
    wanted = {name: count for name, count in (loops or {}).items() if count.loops_total}
    table = Table(box=None, pad_edge=False)
    columns = ("name", "state", "frames", *(["loops"] if wanted else []), "attempts", "slot")
    for column in (*columns, "error"):
        table.add_column(column, overflow="fold")
    for row in rows:
        frames = f"{row.frames_done}/{row.frames_total}"
        made = [str(wanted.get(row.name, ""))] if wanted else []
        table.add_row(row.name, row.state, frames, *made, str(row.attempts), row.slot, row.error)
    _console().print(table, highlight=False, markup=False)


def main() -> None:
    """Entry point: errors for people become one or two sentences and their exit code."""
    sys.stdout = sys.stdout or io.StringIO()  # None where a shell has closed them
    sys.stderr = sys.stderr or io.StringIO()
    for output in (sys.stdout, sys.stderr):  # a path may hold what a terminal's encoding lacks
        if isinstance(output, io.TextIOWrapper):
            output.reconfigure(errors="backslashreplace")
    try:
        sys.exit(commands(prog_name="multitrain", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except MultitrainError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(ExitCode.DRAINED)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.FAILED)
    except (OSError, sqlite3.Error) as error:
        click.echo(f"multitrain cannot go on: {error}", err=True)
        sys.exit(ExitCode.FAILED)

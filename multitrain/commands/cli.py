"""The command line: thin commands over the other packages."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import sys
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import click

from jobs.errors import ExitCode, MultitrainError, UsageError
from jobs.secrets import hidden
from jobs.settings.words import nearest, quoted
from jobs.sheets.sheet import Sheet
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.commands import steering
from multitrain.commands.check import check
from multitrain.commands.clips import export, formats, loop, merge, moments, walk
from multitrain.commands.datasets import dataset
from multitrain.commands.earlier import earlier
from multitrain.commands.logs import logs
from multitrain.commands.options import (
    HoursOfTheDay,
    Number,
    Whole,
    data_option,
    fresh_option,
    gpus_option,
    sheet_argument,
    slots_option,
    workspace_option,
)
from multitrain.commands.serve import serve
from multitrain.commands.sheets import output_console, read_telling
from multitrain.commands.status import print_at_the_end, status
from multitrain.commands.tinkering import compare, generate, mutate
from multitrain.startup.interrupts import interrupt_on_signals

# Other modules are imported by the commands that need them, so that each starts at once.

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=CONTEXT)
@click.version_option(package_name="multitrain", prog_name="multitrain")
def commands() -> None:
    """Train sheets of GANs on all your GPUs and wake up to their films.

    Exit codes: 0 all done, 1 some jobs failed, 2 the sheet or the call is wrong (nothing was
    started), 75 drained (run again to go on).
    """


@commands.command()
@click.argument("sheet", type=click.Path(path_type=Path), required=False)
@gpus_option
@slots_option
@click.option(
    "--per-gpu",
    type=Whole(1, 16),
    default=1,
    help="So many jobs share each GPU, as far as its memory allows.",
)
@workspace_option
@data_option
@fresh_option
@click.option("--page", "has_page", is_flag=True, help="Show a page in the browser: see `serve`.")
@click.option("--stay", is_flag=True, help="Wait for more (`multitrain submit`) when all is done.")
@click.option(
    "--hours",
    type=HoursOfTheDay(),
    metavar="22:00-08:00",
    help="Train at these hours only; at others, jobs wait at a checkpoint.",
)
@click.option(
    "--on-night-done",
    default="",
    metavar="COMMAND",
    help="Run this, or call this http(s):// address, when all is done.",
)
@click.option(
    "--deterministic",
    is_flag=True,
    help="The same bits at every run with as many slots; slower.",
)
@click.option("--encoders", type=Whole(1, 1024), help="ffmpeg processes side by side.")
@click.option(
    "--spool-gb",
    type=Number(0.1, 1e6),
    help="Disk for frames not yet encoded, and for checkpoints.",
)
@click.option(
    "--keep-free-gb",
    type=Number(0, 1e6),
    help="Wait, and start nothing, while the disk has less room than this.",
)
@click.pass_context
def run(
    context: click.Context,
    /,
    sheet: Path | None,
    workspace: Path,
    pictures: Path | None,
    has_page: bool,
    **options: Any,
) -> None:
    """Train and render every job of SHEET; run again to go on with what is unfinished.

    Without SHEET: all jobs of the workspace that have not ended.
    """
    from multitrain.commands.run.assembling import RunOptions, run_jobs
    from multitrain.commands.run.page import page

    place = Workspace(workspace.absolute())
    jobs = read_telling(sheet, Workspace(place.root, pictures)).jobs if sheet else None
    with page(place, click.echo) if has_page else nullcontext():
        outcome = run_jobs(place, jobs, RunOptions(**options), output_console())
    with suppress(OSError, SystemExit):  # a terminal that has closed does not change the outcome
        print_at_the_end(place, outcome.rows)
    context.exit(outcome.code)


@commands.command()
@sheet_argument
@click.argument("job")
@click.option("--changed", is_flag=True, help="Only settings that differ from their defaults.")
@click.option("--json", "as_json", is_flag=True, help="Settings and layers, for machines.")
@workspace_option
@data_option
def show(
    sheet: Path,
    job: str,
    changed: bool,
    as_json: bool,
    workspace: Path,
    pictures: Path | None,
) -> None:
    """Print JOB of SHEET as a sheet of its own, and the layers of its networks.

    The sheet goes to standard output, in YAML and with every setting spelt out; the table of the
    layers to standard error. So `multitrain show a.csv night > night.yaml` makes a sheet.
    """
    from jobs.sheets.forms.nested_form import nested, sheet_text
    from multitrain.commands import layer_table

    found = _job_named(job, read_telling(sheet, Workspace(workspace.absolute(), pictures)))
    layers = layer_table.networks(found)
    if as_json:
        settings = nested(found.spec, changed=changed)
        content: dict[str, object] = {
            "settings": settings,
            "layers": layer_table.for_machines(layers),
        }
        if (step := layer_table.step_bytes(found)) is not None:
            content["step_bytes"] = step
        click.echo(json.dumps(content, indent=2))
        return
    click.echo(sheet_text([found.spec], changed=changed), nl=False)
    if layers:
        table = layer_table.table(layers, layer_table.step_bytes(found))
        output_console(sys.stderr).print(table, highlight=False)


CLIPS = (formats, export, loop, walk, moments, merge)  # a module each

OTHERS = (
    check,
    status,
    *steering.COMMANDS,
    serve,
    logs,
    generate,
    mutate,
    compare,
    earlier,
    dataset,
)

for command in (*OTHERS, *(each.command for each in CLIPS)):
    commands.add_command(command)


def _job_named(name: str, sheet: Sheet) -> JobFile:
    jobs = {job.spec.name: job for job in sheet.jobs}
    if name not in jobs:
        raise UsageError(f"there is no job {quoted(name)} in this sheet{nearest(name, jobs)}")
    return jobs[name]


def main() -> None:
    """Entry point: errors for people become one or two sentences and their exit code."""
    sys.stdout = sys.stdout or io.StringIO()  # None where a shell has closed them
    sys.stderr = sys.stderr or io.StringIO()
    for output in (sys.stdout, sys.stderr):  # a path may hold what a terminal's encoding lacks
        if isinstance(output, io.TextIOWrapper):
            output.reconfigure(errors="backslashreplace")
    try:
        interrupt_on_signals()
        sys.exit(commands(prog_name="multitrain", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except MultitrainError as error:
        click.echo(hidden(str(error)), err=True)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(ExitCode.DRAINED)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.FAILED)
    except (OSError, sqlite3.Error) as error:
        click.echo(hidden(f"multitrain cannot go on: {error}"), err=True)
        sys.exit(ExitCode.FAILED)

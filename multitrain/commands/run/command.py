"""`multitrain run`."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import click

from jobs.workspace.paths import Workspace
from multitrain.commands.options import (
    HoursOfTheDay,
    Number,
    Whole,
    data_option,
    fresh_option,
    gpus_option,
    slots_option,
    workspace_option,
)
from multitrain.commands.sheets import output_console, read_telling
from multitrain.commands.status import print_at_the_end

# Other modules are imported when they are needed, so that `--help` appears at once.


@click.command()
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

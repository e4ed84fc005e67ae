"""`multitrain table`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from jobs.errors import UsageError
from jobs.workspace.paths import Workspace
from multitrain.commands.options import existing_workspace_option, force_option

if TYPE_CHECKING:
    from jobs.workspace.jobfile import JobFile
    from multitrain.commands.table.results import Result

# Other modules are imported when needed, so that a wrong call is reported at once.

HTML, CSV = ".html", ".csv"


@click.command("table")
@click.argument("names", nargs=-1, metavar="[JOB…]")
@click.option(
    "--by",
    metavar="MEASURE",
    show_default="psnr, or what was measured",
    help="psnr, bytes or another measure, or time: the better ones come first.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="A page to look at, films beside their rows (.html), or a sheet of figures (.csv).",
)
@force_option
@existing_workspace_option
def command(
    names: tuple[str, ...],
    by: str | None,
    as_json: bool,
    output: Path | None,
    force: bool,
    workspace: Path,
) -> None:
    """Show what jobs came to, to choose from: JOBs, or all that have begun here.

    A row has the settings in which the jobs differ, what the job was measured at, and where its
    video is. Where `keep_best` has kept the best weights, the measures are of these.

    \b
    multitrain table --by psnr
    multitrain table codec-4 codec-10 --by bytes -o codecs.html
    """
    from multitrain.commands.table.results import ordered, results

    place = Workspace(workspace.absolute())
    if output is not None:
        _check_output(place, output, force=force, as_json=as_json)
    found = results(place, _jobs(place, names))
    by = _measure_to_go_by(found, by)
    found = ordered(found, by) if by else found
    if output is not None:
        _write(place, output, found, by)
        click.echo(output)
    elif as_json:
        from multitrain.commands.table.columns import for_machines

        click.echo(json.dumps(for_machines(found), indent=2))
    else:
        _print(place, found, by)


def _jobs(place: Workspace, names: Sequence[str]) -> list[JobFile]:
    """Those that are named, once each, or all that have begun. UsageError where there are none."""
    from jobs.tinkering.earlier_jobs import jobs_left, past_job
    from jobs.workspace.store import read_jobs

    known = jobs_left(place)
    waiting = [row.name for row in read_jobs(place.store) if row.name not in known]
    if early := next((name for name in names if name in waiting), None):
        raise UsageError(f"{early} has not begun, so there is nothing to tell of it yet")
    if names:
        return [past_job(place, name) for name in dict.fromkeys(names)]
    jobs = []
    for name in known:
        try:
            jobs.append(past_job(place, name))
        except UsageError as error:  # one that nobody asked for by name
            click.echo(f"note: {name} is left out: {error}", err=True)
    if not jobs:
        raise UsageError(f"no job has begun in {place.root}; --workspace names another folder")
    if waiting:
        verb = "has" if len(waiting) == 1 else "have"
        click.echo(f"note: {_counted(len(waiting))} of the queue {verb} not begun", err=True)
    return jobs


def _counted(jobs: int) -> str:
    return "1 job" if jobs == 1 else f"{jobs} jobs"


def _measure_to_go_by(found: Sequence[Result], by: str | None) -> str:
    """What to order by; empty where nothing was measured and nobody asks for more.

    UsageError where none of the jobs has it.
    """
    from jobs.settings.words import one_of, quoted
    from multitrain.commands.table.results import measures_of

    measures = measures_of(found)
    if by is None:
        return "psnr" if "psnr" in measures else next(iter(measures), "")
    known = list(dict.fromkeys([*measures, *(name for each in found for name in each.values)]))
    if by in known:
        return by
    if not known:
        raise UsageError(f"none of these jobs was measured or timed, so none has {quoted(by)}")
    if not measures:
        raise UsageError(
            f"none of these jobs has {quoted(by)}: nothing is measured without a validation; "
            "there is time"
        )
    raise UsageError(f"--by {one_of(known, by)}")


def _check_output(place: Workspace, output: Path, *, force: bool, as_json: bool) -> None:
    """UsageError where the table cannot be written there, or should not."""
    from multitrain.commands.clips.clip_options import refuse_closed

    if as_json:
        raise UsageError("--json is for the terminal; leave it out, or -o")
    if output.suffix.casefold() not in (HTML, CSV):
        raise UsageError(f"{output} must end in {HTML}, a page to look at, or {CSV}")
    if output.absolute().parent == place.renders.absolute():
        raise UsageError(f"{output}: renders/ is for the films of jobs; name another folder")
    if output.is_dir():
        raise UsageError(f"{output} is a folder; give another name")
    if output.exists() and not force:
        raise UsageError(f"{output} is there already; give another name, or --force to replace it")
    refuse_closed(output.absolute().parent)


def _write(place: Workspace, output: Path, found: Sequence[Result], by: str) -> None:
    from jobs.workspace.files import write_text
    from multitrain.commands.table.columns import as_csv, cells
    from multitrain.commands.table.page import page

    if output.suffix.casefold() == CSV:
        write_text(output, as_csv(cells(place, found, by)))
    else:
        write_text(output, page(place, output.absolute().parent, found, by))


def _print(place: Workspace, found: Sequence[Result], by: str) -> None:
    from rich.table import Table

    from multitrain.commands import long_tables
    from multitrain.commands.sheets import output_console
    from multitrain.commands.table.columns import cells, figures

    shown, numbers = cells(place, found, by), figures(found)
    table = Table(box=None, pad_edge=False)
    for name in shown:
        is_number = name in numbers
        justify: Literal["left", "right"] = "right" if is_number else "left"
        table.add_column(name, overflow="fold", justify=justify, no_wrap=is_number)
    for row in zip(*shown.values(), strict=True):
        table.add_row(*row)
    long_tables.show(output_console(), table, markup=False)

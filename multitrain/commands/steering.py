"""Commands that steer a night: `submit`, `pause`, `resume`, `cancel`, `requeue` and others.

Each is a request to the farm that runs in the workspace; without one, it changes what the next farm
will do.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from jobs.errors import ExitCode, UsageError
from jobs.reading import escaped
from jobs.workspace.paths import Workspace
from jobs.workspace.requests import MOST_PRIORITY, Order, Request
from multitrain.commands.options import (
    Whole,
    data_option,
    existing_workspace_option,
    from_page_option,
    sheet_argument,
    workspace_option,
)
from multitrain.commands.sheets import read_telling

# Other modules are imported by the commands that need them, so that each starts at once.

jobs_argument = click.argument("names", nargs=-1, metavar="JOB…")
all_option = click.option("--all", "every", flag_value="all", help="Every job that it concerns.")
failed_option = click.option("--failed", "every", flag_value="failed", help="Those that failed.")
priority_type = Whole(-MOST_PRIORITY, MOST_PRIORITY)


@click.command()
@sheet_argument
@click.option("--priority", type=priority_type, help="Of its jobs, instead of what the sheet says.")
@workspace_option
@data_option
@from_page_option
def submit(
    sheet: Path,
    priority: int | None,
    workspace: Path,
    pictures: Path | None,
    from_page: bool,
) -> None:
    """Put the jobs of SHEET into the queue of the farm that runs here: all of them, or none.

    Jobs that are there already with the same settings are left alone; the others go on with what
    may change of them, at once.
    """
    from multitrain.commands.run.assembling import prepare_demo
    from multitrain.farm.workspace_lock import holder

    place = Workspace(workspace.absolute())
    jobs = read_telling(sheet, Workspace(place.root, pictures), is_strangers=from_page).jobs
    if priority is not None:
        update = {"priority": priority}
        jobs = tuple(job.replaced(spec=job.spec.model_copy(update=update)) for job in jobs)
    prepare_demo(place, jobs, _note)
    _ask(place, Request.new(Order.SUBMIT, jobs=jobs))
    if holder(place) is None:
        click.echo("No farm is running here: `multitrain run` works on them.")


def _steering(order: Order, text: str, *options: Callable[[Any], Any]) -> click.Command:
    """A command that carries out `order` for the jobs that are named."""
    flags = {all_option: "--all", failed_option: "--failed"}
    choice = " or ".join(["jobs", *(flags[each] for each in options if each in flags)])

    def carry_out(workspace: Path, names: tuple[str, ...], **what: Any) -> None:
        if bool(names) == bool(what.get("every")):
            raise UsageError(f"{order}: name {choice}; `multitrain status` lists them.")
        for name in names:
            if name != escaped(name):
                raise UsageError(f"there is no job {escaped(name)!r}: its name is no text.")
        _ask(Workspace(workspace.absolute()), Request.new(order, names=names, **_given(what)))

    for option in (existing_workspace_option, *reversed(options), jobs_argument):
        carry_out = option(carry_out)
    return click.command(name=str(order), help=text)(carry_out)


pause = _steering(
    Order.PAUSE,
    "Stop jobs at a checkpoint; they keep their place in the queue until `resume`.",
    all_option,
)
resume = _steering(Order.RESUME, "Queue jobs again that were paused.", all_option)
cancel = _steering(
    Order.CANCEL,
    "Stop jobs at a checkpoint and leave them; their files stay. `requeue` takes them up again.",
    all_option,
)
requeue = _steering(
    Order.REQUEUE,
    "Queue jobs again that failed or were cancelled, from their newest checkpoint.",
    all_option,
    failed_option,
    click.option("--fresh", is_flag=True, help="From the start; a film that is there is kept."),
)
top = _steering(
    Order.TOP,
    "Put jobs before all others in the queue.",
    click.option("--now", is_flag=True, help="The least important running jobs make room."),
)
forget = _steering(
    Order.FORGET,
    "Leave jobs out of `status`; all their files stay.",
    failed_option,
)


@click.command(context_settings={"ignore_unknown_options": True})  # so that -5 is a number
@click.argument("name", metavar="JOB")
@click.argument("number", type=priority_type, metavar="N")
@existing_workspace_option
def priority(name: str, number: int, workspace: Path) -> None:
    """Have JOB start before those whose priority is less than N, a whole number.

    Jobs begin with the priority of their sheet, which is 0 where it says nothing; those of the same
    start in the order of the sheet.
    """
    place = Workspace(workspace.absolute())
    _ask(place, Request.new(Order.PRIORITY, names=(name,), priority=number))


@click.command()
@existing_workspace_option
def drain(workspace: Path) -> None:
    """Have the farm that runs here stop: every job writes a checkpoint first."""
    _ask(Workspace(workspace.absolute()), Request.new(Order.DRAIN))


def _note(text: str) -> None:
    click.echo(f"note: {text}", err=True)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value}


def _ask(place: Workspace, request: Request) -> None:
    """Have a request carried out and print what became of it; SystemExit where it was refused.

    UsageError where nothing was done because the request itself is wrong.
    """
    from multitrain.farm.asking import ask

    if request.order is not Order.SUBMIT and not place.store.exists():
        raise UsageError(f"there are no jobs in {place.root}; name another --workspace.")
    answer = ask(place, request, _note)
    if answer.is_wrong:
        raise UsageError("\n".join(answer.refused))
    for line in answer.done:
        click.echo(line)
    for line in answer.refused:
        click.echo(line, err=True)
    if not (answer.done or answer.refused):
        click.echo("there is no job that this concerns")
    if answer.refused:
        raise SystemExit(ExitCode.FAILED)

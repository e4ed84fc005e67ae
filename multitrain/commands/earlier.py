"""`multitrain earlier`: films that newer ones have replaced."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from jobs.errors import UsageError
from jobs.settings.words import nearest, quoted
from jobs.units import bytes_for_people
from jobs.workspace.paths import Workspace
from multitrain.commands.options import existing_workspace_option

if TYPE_CHECKING:
    from render.films.earlier import EarlierTake

# Other modules are imported when needed, so that the list appears at once.

COMMAND = "multitrain earlier"  # as messages name it


@click.command()
@click.option(
    "--restore", metavar="JOB", help="Put its newest earlier film, or WAVES-1, back in its place."
)
@click.option("--drop", metavar="JOB", help="Delete all its earlier films, or WAVES-1, for good.")
@click.option("--yes", is_flag=True, help="Do not ask before deleting.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@existing_workspace_option
def earlier(
    restore: str | None, drop: str | None, yes: bool, as_json: bool, workspace: Path
) -> None:
    """List the films that others have taken the place of, and the room that they take.

    They lie in renders/earlier/. What is in the place of a film that is restored becomes an earlier
    one itself, so nothing is lost.
    """
    if restore is not None and drop is not None:
        raise UsageError("give --restore or --drop, not both")
    place = Workspace(workspace.absolute())
    if restore is not None:
        _restore(place, restore)
    elif drop is not None:
        _drop(place, drop, is_sure=yes)
    else:
        _list(place, as_json=as_json)


def _list(place: Workspace, *, as_json: bool) -> None:
    from render.films.earlier import earlier_takes

    takes = earlier_takes(place)
    if as_json:
        click.echo(json.dumps([_plain(take) for take in takes], indent=2))
    elif takes:
        Console().print(_table(takes), highlight=False, markup=False)
        total = bytes_for_people(sum(take.bytes for take in takes))
        click.echo(f"{total} in all; --restore JOB puts one back, --drop JOB deletes them.")
    else:
        click.echo("No film has taken the place of another here.")


def _restore(place: Workspace, name: str) -> None:
    from render.films.replacing import restore

    _found(place, name)
    with _held(place):
        takes = _found(place, name)
        take = next((take for take in reversed(takes) if take.has_film), takes[-1])
        restore(take)
        _note_state(place, take.job)
    click.echo(f"{take.name} is back in {place.renders}")


def _drop(place: Workspace, name: str, *, is_sure: bool) -> None:
    from render.films.replacing import drop

    takes = [take for take in _found(place, name) if not take.is_in_place]
    if not takes:
        raise UsageError(f"the film of {name} still is in its place; a later one is in the making")
    size = bytes_for_people(sum(take.bytes for take in takes))
    for take in takes:
        click.echo(f"{take.outputs}: {', '.join(file.name for file in take.files) or 'no film'}")
    if not is_sure and not _confirmed(f"Delete these for good ({size})?"):
        click.echo("Nothing was deleted.")
        return
    with _held(place):
        for take in takes:
            drop(take)
    click.echo(f"{size} are free again")


def _confirmed(question: str) -> bool:
    try:
        return click.confirm(question)
    except click.Abort:
        raise UsageError("nobody answers; nothing was deleted (--yes does not ask)") from None


def _found(place: Workspace, name: str) -> list[EarlierTake]:
    """The take of that name, or all of the job of that name, oldest first. UsageError if none."""
    from render.films.earlier import earlier_takes

    takes = earlier_takes(place)
    found = [take for take in takes if take.name == name] or [
        take for take in takes if take.job == name
    ]
    if not found:
        known = {known for take in takes for known in (take.job, take.name)}
        raise UsageError(f"there is no earlier film of {quoted(name)}{nearest(name, known)}")
    return found


@contextmanager
def _held(place: Workspace) -> Iterator[None]:
    """Hold the workspace's lock, so that no farm runs meanwhile."""
    from multitrain.commands.run.display import open_display
    from multitrain.commands.run.loop import StopSignals
    from multitrain.farm.workspace_lock import hold

    with (
        StopSignals() as stop,
        closing(open_display(Console(stderr=True))) as display,
        hold(place, display.note, stop, f"command `{COMMAND}`"),
    ):
        yield


def _note_state(place: Workspace, job: str) -> None:
    """Have `multitrain status` show the film that is in place now."""
    from jobs.workspace.jobfile import JobFile
    from jobs.workspace.states import State
    from jobs.workspace.store import Store

    paths = place.job(job)
    if not place.store.exists():  # the next run makes it from the jobs' folders
        return
    with closing(Store(place.store)) as store:
        row = store.job(job)
        if row is None:
            return
        known = JobFile.read(paths)
        total = known.plan.frames_total if known else row.frames_total
        state, done = (State.DONE, total) if paths.is_done else (State.QUEUED, 0)
        row = replace(row, state=state, frames_done=done, frames_total=total)
        store.save([replace(row, attempts=0, slot="", error="")])


def _table(takes: list[EarlierTake]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("job", "earlier film", "set aside", "size", "files"):
        table.add_column(column, overflow="fold")
    for take in takes:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(take.set_aside))
        where = "in its place until the next one is there" if take.films_in_place else ""
        files = where or ", ".join(file.name for file in take.files) or "its checkpoints alone"
        table.add_row(take.job, take.name, when, bytes_for_people(take.bytes), files)
    return table


def _plain(take: EarlierTake) -> dict[str, object]:
    return {
        "job": take.job,
        "name": take.name,
        "set_aside": take.set_aside,
        "bytes": take.bytes,
        "in_place": take.is_in_place,
        "files": [str(file) for file in take.files],
    }

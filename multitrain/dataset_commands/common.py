"""What commands that make data sets have in common: options, progress, what they tell."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from jobs.paths import Workspace
from multitrain.datasets.making import Made

MOST_TOLD = 20  # files that were left out, by name; `--json` tells all

json_option = click.option("--json", "as_json", is_flag=True, help="For machines.")
T = TypeVar("T")


def workspace_at(folder: Path) -> Workspace:
    """As the option names it."""
    return Workspace(folder.absolute())


def shown(things: Iterable[T], what: str, total: int) -> Iterator[T]:
    """`things` one by one, with a bar on stderr where that is a terminal."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield from progress.track(things, total=total)


def tell(made: Sequence[Made], *, as_json: bool) -> None:
    """What was made, and what was left out for which reason."""
    if as_json:
        click.echo(json.dumps([_plain(each) for each in made], indent=2))
        return
    for each in made:
        unit = "picture" if each.pictures == 1 else "pictures"
        click.echo(f"{each.folder}: {each.pictures} {unit}")
        for note in each.notes:
            click.echo(note)
        _tell_left_out(each)


def _tell_left_out(made: Made) -> None:
    for path, reason in made.left_out[:MOST_TOLD]:
        click.echo(f"left out: {printable(path)} ({reason})", err=True)
    if (rest := len(made.left_out) - MOST_TOLD) > 0:
        click.echo(f"... and {rest} more", err=True)


def _plain(made: Made) -> dict[str, object]:
    left_out = [{"path": str(path), "reason": reason} for path, reason in made.left_out]
    told = {"folder": str(made.folder), "pictures": made.pictures, "left_out": left_out}
    return told | {"notes": list(made.notes)} | made.facts


def printable(path: Path) -> str:
    """On one line, no sign unseen."""
    text = str(path)
    return text if text.isprintable() else ascii(text)

"""What the commands that make data sets share: options, progress, output."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import click

from jobs.errors import UsageError
from jobs.pictures.finding import DEMO, demo_is_built_in
from jobs.pictures.suffixes import is_video
from jobs.settings.words import nearest, quoted
from jobs.workspace.files import listing
from jobs.workspace.paths import Workspace
from multitrain.commands.long_work import shown_work
from multitrain.datasets.made.making import Made

MOST_LISTED = 20  # files left out that are listed by name; `--json` lists all

json_option = click.option("--json", "as_json", is_flag=True, help="For machines.")
T = TypeVar("T")


def workspace_at(folder: Path, pictures: Path | None = None) -> Workspace:
    """The workspace in `folder`, with its data sets in `pictures` where that is given."""
    return Workspace(folder.absolute(), pictures)


def shown(things: Iterable[T], what: str, total: int) -> Iterator[T]:
    """Yields `things` one by one, and shows how many of `total` have come."""
    with shown_work(what, total, "done") as on_progress:
        for number, thing in enumerate(things, 1):
            yield thing
            on_progress(number)


def tell(made: Sequence[Made], *, as_json: bool) -> None:
    """Print what was made, and which files were left out for which reason."""
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
    for path, reason in made.left_out[:MOST_LISTED]:
        click.echo(f"left out: {printable(path)} ({reason})", err=True)
    if (rest := len(made.left_out) - MOST_LISTED) > 0:
        click.echo(f"... and {rest} more", err=True)


def _plain(made: Made) -> dict[str, object]:
    left_out = [{"path": str(path), "reason": reason} for path, reason in made.left_out]
    facts = {"folder": str(made.folder), "pictures": made.pictures, "left_out": left_out}
    return facts | {"notes": list(made.notes)} | made.facts


def printable(path: Path | str) -> str:
    """The path on one line, invisible characters escaped."""
    text = str(path)
    return text if text.isprintable() else ascii(text)


def existing_data_set(place: Workspace, name: str) -> Path:
    """The folder of a data set, or any folder that `name` is the path of; else UsageError.

    The built-in pictures are drawn where they are asked for.
    """
    folder = place.dataset(name)
    if name == DEMO and demo_is_built_in(folder):
        from jobs.workspace.at_work import is_held
        from multitrain.datasets.drawn.demo import ensure_demo

        if is_held(place):
            raise UsageError(f"{folder} is being drawn by the farm that runs here; ask again soon")
        ensure_demo(place)
    if not folder.is_dir() and Path(name).is_dir():
        return Path(name)
    if is_video(folder) and (folder.is_file() or Path(name).is_file()):
        raise UsageError(
            f"{quoted(name)} is a video: `inspect --film` looks at it, and `multitrain dataset "
            "extract` makes pictures of it"
        )
    if not folder.is_dir():
        known = [each for each in listing(place.data) if (place.data / each).is_dir()] + [DEMO]
        where = f" in {place.data}" if folder.parent == place.data else ""
        raise UsageError(f"There is no data set {quoted(name)}{where}{nearest(name, known)}")
    return folder


def require_place_for_sheet(target: Path, place: Workspace) -> None:
    """UsageError where no contact sheet can, or should, be put there."""
    if Path(os.path.realpath(target)).is_relative_to(os.path.realpath(place.data)):
        raise UsageError(f"{target} would become part of a data set; choose another place")
    if not target.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {target.absolute().parent} for the contact sheet")

"""`multitrain dataset untile`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from multitrain.commands.datasets.common import json_option, shown, tell, workspace_at
from multitrain.commands.options import data_option, workspace_option

if TYPE_CHECKING:
    from multitrain.datasets.tiles.untiling import Outcome


@click.command()
@click.argument("name")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--originals",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The pictures that were tiled: for what was trimmed, and edges without tiles.",
)
@json_option
@workspace_option
@data_option
def command(
    name: str,
    folder: Path,
    originals: Path | None,
    as_json: bool,
    workspace: Path,
    pictures: Path | None,
) -> None:
    """Lay the tiles of the data set NAME together again, in the new FOLDER.

    What no tile covers is black without --originals. A network's tiles are laid like any others, as
    long as they keep their names and sizes.
    """
    from multitrain.datasets.tiles.untiling import untile

    def track(outcomes: Iterable[Outcome], total: int) -> Iterable[Outcome]:
        return shown(outcomes, "laying tiles", total)

    place = workspace_at(workspace, pictures)
    tell([untile(place, name, folder, originals, track)], as_json=as_json)

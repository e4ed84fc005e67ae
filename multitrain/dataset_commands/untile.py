"""`multitrain dataset untile`."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from multitrain.cli_options import workspace_option
from multitrain.dataset_commands.common import json_option, shown, tell, workspace_at

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
def command(
    name: str, folder: Path, originals: Path | None, as_json: bool, workspace: Path
) -> None:
    """Lay the tiles of the data set NAME together again, in the new FOLDER.

    What no tile covers is black without --originals. A network's tiles are laid like any others, as
    long as they keep their names and sizes.
    """
    from multitrain.datasets.tiles.untiling import untile

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # leaves nothing half-done

    def track(outcomes: Iterable[Outcome], total: int) -> Iterable[Outcome]:
        return shown(outcomes, "laying tiles", total)

    tell([untile(workspace_at(workspace), name, folder, originals, track)], as_json=as_json)

"""`multitrain dataset split`."""

from __future__ import annotations

from pathlib import Path

import click

from multitrain.commands.datasets.common import existing_data_set, json_option, tell, workspace_at
from multitrain.commands.options import LARGEST_SEED, Number, Whole, data_option, workspace_option


@click.command()
@click.argument("source")
@click.argument("name")
@click.option(
    "--test",
    "percent",
    type=Number(0.001, 99.999),
    default=10,
    show_default=True,
    metavar="PERCENT",
    help="So many of a hundred pictures are for tests.",
)
@click.option(
    "--seed", type=Whole(0, LARGEST_SEED), default=0, show_default=True, help="Of chance."
)
@click.option("--last", is_flag=True, help="The last ones, not by chance: for frames of a video.")
@json_option
@workspace_option
@data_option
def command(
    source: str,
    name: str,
    percent: float,
    seed: int,
    last: bool,
    as_json: bool,
    workspace: Path,
    pictures: Path | None,
) -> None:
    """Make the data set NAME of SOURCE: in NAME/train to learn from, in NAME/test to test with.

    SOURCE, a data set or the path of a folder, stays as it is: each file gets one more name. Both
    pictures of a pair are on the same side.
    """
    from multitrain.datasets.made.splitting import split

    place = workspace_at(workspace, pictures)
    folder = existing_data_set(place, source)
    made = split(place, folder, name, percent / 100, seed, last=last)
    tell([made], as_json=as_json)

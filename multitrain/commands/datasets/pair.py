"""`multitrain dataset pair`."""

from __future__ import annotations

from pathlib import Path

import click

from multitrain.commands.datasets.common import (
    existing_data_set,
    json_option,
    require_place_for_sheet,
    shown,
    tell,
    workspace_at,
)
from multitrain.commands.options import data_option, workspace_option

WAYS = ("name", "order", "likeness")


@click.command()
@click.argument("inputs")
@click.argument("targets")
@click.argument("name")
@click.option(
    "--by",
    type=click.Choice(WAYS),
    default="name",
    show_default=True,
    help="What makes a pair: the files' names without suffixes, their order, or what they show.",
)
@click.option(
    "--sheet",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Show some pairs in this PNG file: inputs above, targets below.",
)
@json_option
@workspace_option
@data_option
def command(
    inputs: str,
    targets: str,
    name: str,
    by: str,
    sheet: Path | None,
    as_json: bool,
    workspace: Path,
    pictures: Path | None,
) -> None:
    """Make the data set NAME of the pictures in INPUTS and TARGETS that are pairs.

    INPUTS and TARGETS are data sets, or paths of folders. Of NAME, `inputs: NAME/inputs` and
    `targets: NAME/targets` are what a sheet asks for. Pictures are not changed: their files get one
    more name there.
    """
    from multitrain.datasets.made.pairing import By, find_pairs, make_pairs, sheet_of_pairs
    from render.files.claims import making

    place = workspace_at(workspace, pictures)
    if sheet:
        require_place_for_sheet(sheet, place)
    of_inputs, of_targets = (existing_data_set(place, each) for each in (inputs, targets))
    found = find_pairs(of_inputs, of_targets, By(by), shown)
    if sheet:
        with making(sheet) as part:
            sheet_of_pairs(found.pairs).save(part, format="PNG")
    tell([make_pairs(place, name, found, of_inputs)], as_json=as_json)

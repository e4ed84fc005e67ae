"""`multitrain dataset demo`: pictures drawn by code."""

from __future__ import annotations

from pathlib import Path

import click

from jobs.settings.kinds import Resolution
from multitrain.commands.datasets.common import json_option, shown, tell, workspace_at
from multitrain.commands.datasets.sizes import drawn_size
from multitrain.commands.options import LARGEST_SEED, Whole, workspace_option
from multitrain.datasets.drawn.styles import MIX, STYLES, Drawing
from multitrain.datasets.made.making import Made, new_data_set
from multitrain.datasets.parallel import in_order


@click.command()
@click.argument("name")
@click.option(
    "--style",
    type=click.Choice([*STYLES, MIX]),
    default=MIX,
    show_default=True,
    help=f"What is drawn; {MIX}: each of the others in turn.",
)
@click.option(
    "--size",
    metavar="WIDTHxHEIGHT",
    callback=drawn_size,
    default="160x90",
    show_default=True,
    help="Of each picture, in pixels.",
)
@click.option(
    "--count",
    type=Whole(1, 1_000_000),
    default=400,
    show_default=True,
    help="How many pictures.",
)
@click.option(
    "--seed",
    type=Whole(0, LARGEST_SEED),
    default=1,
    show_default=True,
    help="The same one gives the same pictures.",
)
@json_option
@workspace_option
def command(
    name: str, style: str, size: Resolution, count: int, seed: int, as_json: bool, workspace: Path
) -> None:
    """Draw pictures to try things with into data/NAME.

    \b
    waves       folded silk
    cells       tissue under a microscope
    flames      fires in the colours of wood, gas, copper, lithium
    shapes      collages of coloured paper
    landscapes  hills in the evening, above a lake

    More pictures (a larger COUNT) begin with the same ones.
    """
    place = workspace_at(workspace)
    drawings = [Drawing(style, size, seed, number) for number in range(count)]
    with new_data_set(place, name) as (folder,):
        drawn = in_order(lambda drawing: drawing.save_in(folder), drawings)
        for _ in shown(drawn, "drawing", count):
            pass
    facts = {"style": style, "size": str(size), "seed": seed}
    tell([Made(place.dataset(name), count, facts=facts)], as_json=as_json)

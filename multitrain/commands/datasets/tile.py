"""`multitrain dataset tile`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import Sides
from multitrain.commands.datasets.common import json_option, shown, tell, workspace_at
from multitrain.commands.datasets.sizes import drawn_size, four_sides
from multitrain.commands.options import LARGEST_SEED, Number, Whole, workspace_option
from multitrain.datasets.tiles.tiles import TileGrid

if TYPE_CHECKING:
    from multitrain.datasets.tiles.tiling import Outcome

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


def _black(context: click.Context, parameter: click.Parameter, value: str) -> float | None:
    if value == "auto":
        return None
    return Number(0, 1)(value, parameter, context)


@click.command()
@click.argument("folder", type=FOLDER)
@click.argument("name")
@click.option(
    "--pair",
    type=(FOLDER, str),
    metavar="FOLDER NAME",
    help="The folder of targets and its data set; FOLDER holds the inputs of the same names.",
)
@click.option(
    "--tile",
    callback=drawn_size,
    metavar="WxH",
    default="60x60",
    show_default=True,
    help="Pixels of a tile, without its border.",
)
@click.option(
    "--border",
    type=Whole(0, 9999),
    default=2,
    show_default=True,
    help="Pixels on each side of a tile that show its neighbours; pictures are larger by twice as "
    "many, 64x64 by default.",
)
@click.option(
    "--edges/--no-edges",
    help="From the very corner on, or half a tile away from all sides.",
    show_default=True,
)
@click.option(
    "--jitter/--no-jitter", help="As well, tiles shifted by half a tile.", show_default=True
)
@click.option(
    "--quality",
    type=Number(0, 1),
    default=1.0,
    show_default=True,
    help="Share of each picture's tiles to keep, those with most detail; jitter is kept.",
)
@click.option(
    "--trim",
    metavar="L,R,T,B",
    callback=four_sides,
    default="0,0,0,0",
    show_default=True,
    help="Pixels to cut off left, right, top and bottom first.",
)
@click.option(
    "--black",
    metavar="auto|0..1",
    callback=_black,
    default="auto",
    show_default=True,
    help="Fills borders outside; auto: the darkest value of the first picture.",
)
@click.option("--shuffle", is_flag=True, help="Names that sort at random.")
@click.option(
    "--seed",
    type=Whole(0, LARGEST_SEED),
    default=0,
    show_default=True,
    help="Of --shuffle.",
)
@json_option
@workspace_option
def command(
    folder: Path,
    name: str,
    pair: tuple[Path, str] | None,
    tile: Resolution,
    border: int,
    edges: bool,
    jitter: bool,
    quality: float,
    trim: Sides,
    black: float | None,
    shuffle: bool,
    seed: int,
    as_json: bool,
    workspace: Path,
) -> None:
    """Cut the pictures in FOLDER into tiles: the data set NAME.

    `untile` lays them together again. Networks train on tiles as on any pictures, at a fraction of
    the memory that whole ones take.
    """
    from multitrain.datasets.tiles.tiling import Tiling
    from multitrain.datasets.tiles.tiling import tile as make_tiles

    grid = TileGrid(tile, border, edges, jitter, trim)
    how = Tiling(grid, quality, black, seed if shuffle else None)

    def track(outcomes: Iterable[Outcome], total: int) -> Iterable[Outcome]:
        return shown(outcomes, "tiling", total)

    folders, names = zip((folder, name), *([pair] if pair else []), strict=True)
    tell(make_tiles(workspace_at(workspace), folders, names, how, track), as_json=as_json)

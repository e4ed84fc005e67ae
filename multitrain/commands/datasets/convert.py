"""`multitrain dataset convert`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from jobs.errors import UsageError
from jobs.pictures.finding import DEMO
from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import (
    CENTER_CROP,
    COVER,
    CROP,
    NO_SIDES,
    SCALINGS,
    Preprocessing,
    Sides,
    checked_mode,
    unfit_sizes,
)
from multitrain.commands.datasets.common import json_option, printable, shown, tell, workspace_at
from multitrain.commands.datasets.sizes import SideOrSize, four_sides
from multitrain.commands.options import LARGEST_SEED, Whole, workspace_option

if TYPE_CHECKING:
    from multitrain.datasets.made.converting import Outcome

AUTO: Literal["auto"] = "auto"
T = TypeVar("T")


class _Mode(click.ParamType[str]):
    name = "MODE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return checked_mode(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _shave(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> Sides | Literal["auto"]:
    if value is None or value == AUTO:
        return AUTO if value else NO_SIDES
    return four_sides(context, parameter, value)


@click.command()
@click.argument(
    "folders",
    nargs=-1,
    required=True,
    metavar="FOLDER...",
    type=click.Path(file_okay=False, path_type=Path),
)
@click.argument("name")
@click.option(
    "--preprocess",
    "mode",
    type=_Mode(),
    default="none",
    show_default=True,
    help=f"none, {', '.join(SCALINGS)}, {CROP}, {CENTER_CROP}, or two of them: {COVER}_and_{CROP}.",
)
@click.option(
    "--load-size", type=SideOrSize(), help="Pixels to scale to; N for N x N, or the width."
)
@click.option("--crop-size", type=SideOrSize(), help="Pixels to cut out; N for N x N.")
@click.option(
    "--shave",
    metavar="L,R,T,B|auto",
    callback=_shave,
    help="Pixels to cut off left, right, top and bottom first; auto: black that all have there.",
)
@click.option("--flip", is_flag=True, help="Mirror half of the pictures, by chance.")
@click.option(
    "--copies",
    type=Whole(1, 999),
    default=1,
    show_default=True,
    help="Of each picture, cut and mirrored by chance anew.",
)
@click.option(
    "--seed", type=Whole(0, LARGEST_SEED), default=0, show_default=True, help="Of chance."
)
@click.option(
    "--transfer",
    type=click.Choice(["auto", "srgb", "linear", "log"]),
    default="auto",
    show_default=True,
    help="How values stand for light; auto: as files tell. The result is sRGB.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["png", "jpg"]),
    default="png",
    show_default=True,
    help="Of files.",
)
@json_option
@workspace_option
def command(
    folders: tuple[Path, ...],
    name: str,
    mode: str,
    load_size: Resolution | None,
    crop_size: Resolution | None,
    shave: Sides | Literal["auto"],
    flip: bool,
    copies: int,
    seed: int,
    transfer: Any,
    kind: Any,
    as_json: bool,
    workspace: Path,
) -> None:
    """Make the data set NAME of the pictures in the FOLDERs, scaled, cut and of one kind.

    Modes and sizes are those of the settings preprocess, load_size and crop_size. Pictures of any
    kind and size become one size by `--preprocess cover --load-size 320x180`.
    """
    from multitrain.datasets.drawn.demo import ensure_demo
    from multitrain.datasets.made.converting import Conversion, convert

    for option, reason in unfit_sizes(mode, load_size, crop_size).items():
        raise UsageError(f"--{option.replace('_', '-')} {reason}")
    preprocessing = Preprocessing.of(mode, load_size, crop_size, flip=flip)
    if copies > 1 and not (preprocessing.crop or flip):
        raise UsageError(f"--copies would all be the same; add {CROP} to --preprocess, or --flip")
    place = workspace_at(workspace)
    for folder in folders:
        if folder.absolute() == place.dataset(DEMO):
            ensure_demo(place)
        if not folder.is_dir():
            raise UsageError(f"there is no folder {printable(folder)}")
    sides = NO_SIDES if shave == AUTO else shave
    how = Conversion(preprocessing, copies, seed, transfer, kind, sides)

    def measuring(looks: Iterable[T], total: int) -> Iterable[T]:
        return shown(looks, "measuring", total)

    def track(outcomes: Iterable[Outcome], total: int) -> Iterable[Outcome]:
        return shown(outcomes, "converting", total)

    auto = measuring if shave == AUTO else None
    tell([convert(place, folders, name, how, track, auto)], as_json=as_json)

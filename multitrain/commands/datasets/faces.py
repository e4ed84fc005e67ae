"""`multitrain dataset faces`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.errors import UsageError
from jobs.pictures.suffixes import is_picture
from jobs.settings.kinds import Resolution
from multitrain.commands.datasets.common import (
    existing_data_set,
    json_option,
    require_place_for_sheet,
    shown,
    tell,
    workspace_at,
)
from multitrain.commands.datasets.sizes import LARGEST, SMALLEST, SideOrSize
from multitrain.commands.options import Number, Seconds, Whole, data_option, workspace_option

if TYPE_CHECKING:
    from multitrain.datasets.faces.making import Outcome

NONE = "none"
EVERY = 1.0  # seconds


class _Size(SideOrSize):
    name = "WxH|N|none"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == NONE:
            return value
        size: Resolution = super().convert(value, param, ctx)
        if min(size) < SMALLEST or max(size) > LARGEST:
            self.fail(f"a side of {size} is not {SMALLEST} to {LARGEST} pixels", param, ctx)
        return size


@click.command()
@click.argument("source")
@click.argument("name")
@click.option(
    "--margin",
    type=Number(0, 3),
    default=0.3,
    show_default=True,
    help="On each side of a face, as a share of its side.",
)
@click.option(
    "--size",
    type=_Size(),
    default="256",
    show_default=True,
    help="Pixels of each picture; N for N x N; none leaves them as large as they are.",
)
@click.option(
    "--least",
    type=Whole(24, 10_000),
    metavar="PIXELS",
    help="The side of the smallest faces that are looked for.  [default: a twelfth of the "
    "picture's shorter side, and at least 64]",
)
@click.option(
    "--cascade",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="An LBP cascade as OpenCV trains them (XML), for other faces.  [default: faces seen from "
    "the front]",
)
@click.option(
    "--every",
    type=Seconds(0.001, 10**7),
    metavar="TIME",
    help=f"Of a video, a frame every so often.  [default: {EVERY:g} second]",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["png", "jpg"]),
    default="png",
    show_default=True,
    help="Of files.",
)
@click.option(
    "--sheet",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the contact sheet goes, a PNG file.  [default: NAME_contact.png]",
)
@click.option("--no-sheet", is_flag=True, help="Make no contact sheet.")
@json_option
@workspace_option
@data_option
def command(
    source: str, name: str, margin: float, size: Resolution | str, least: int | None,
    cascade: Path | None, every: float | None, kind: Any, sheet: Path | None, no_sheet: bool,
    as_json: bool, workspace: Path, pictures: Path | None,
) -> None:  # fmt: skip
    """Make the data set NAME of the faces in SOURCE: a data set, a folder of pictures, or a video.

    Each face is cut out with a margin, square unless --size says otherwise, and scaled. Some are
    shown on a contact sheet.
    """
    from multitrain.datasets.faces.cascades import read_cascade
    from multitrain.datasets.faces.making import Cutting, faces_of_pictures, faces_of_video

    place = workspace_at(workspace, pictures)
    video = Path(source) if Path(source).is_file() else None
    if video and is_picture(video):
        raise UsageError(f"{video} is a picture; name the folder that it lies in")
    if every and not video:
        raise UsageError("--every is for videos: pictures are all looked at")
    folder = None if video else existing_data_set(place, source)
    target = None if no_sheet else sheet or Path(f"{name.replace('/', '_')}_contact.png")
    if target:
        require_place_for_sheet(target, place)
        if target.exists():
            raise UsageError(f"{target} is there already: name another with --sheet, or --no-sheet")
    shape = size if isinstance(size, Resolution) else None
    how = Cutting(read_cascade(cascade), margin, shape, least, kind)

    def track(outcomes: Iterable[Outcome], what: str, total: int) -> Iterable[Outcome]:
        return shown(outcomes, what, total)

    if folder:
        made = faces_of_pictures(place, folder, name, how, target, track)
    elif video:
        made = faces_of_video(place, video, name, how, every or EVERY, target, track)
    tell([made], as_json=as_json)
    if target and not as_json:
        click.echo(f"contact sheet: {target}")

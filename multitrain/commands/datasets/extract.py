"""`multitrain dataset extract`: frames of videos."""

from __future__ import annotations

from pathlib import Path

import click

from jobs.errors import UsageError
from jobs.settings.preprocess import Sides
from multitrain.commands.datasets.common import json_option, shown, tell, workspace_at
from multitrain.commands.datasets.sizes import four_sides
from multitrain.commands.long_work import say, shown_bytes
from multitrain.commands.options import Seconds, Whole, workspace_option
from multitrain.datasets.made.sources import source_text

LONGEST_SECONDS = 10**7
TIME = Seconds(0, LONGEST_SECONDS)
# Options that have nothing to do with what the pictures are.
BESIDE = ("as_json", "workspace")
MENDINGS = ("auto", "yadif", "ivtc", "none")


@click.command()
@click.argument("videos", nargs=-1, required=True, metavar="VIDEO...")
@click.argument("name")
@click.option("--count", type=Whole(1, 1_000_000), help="Frames, evenly spaced.")
@click.option("--every", type=TIME, metavar="TIME", help="A frame every so often.")
@click.option(
    "--frames",
    type=Whole(1, 1_000_000),
    help="So many that follow each other, from --start on.",
)
@click.option(
    "--shave",
    metavar="L,R,T,B",
    callback=four_sides,
    default="0,0,0,0",
    show_default=True,
    help="Pixels to cut off left, right, top and bottom first.",
)
@click.option(
    "--crop",
    default="left,right",
    show_default=True,
    help="Squares (left, center, right), none, or an area such as 640x480+0+0.",
)
@click.option(
    "--scale",
    default="-1:256",
    show_default=True,
    help="Size of each picture as FFmpeg writes it; -1 keeps the proportion; none.",
)
@click.option(
    "--start",
    type=TIME,
    default=0.0,
    metavar="TIME",
    help="Seconds, or 1:30.",
)
@click.option("--end", type=TIME, metavar="TIME", help="Seconds, or 1:30.")
@click.option(
    "--deinterlace",
    type=click.Choice(MENDINGS),
    default="auto",
    show_default=True,
    help="What is done to fields; ivtc takes telecined video back to film.",
)
@click.option("--dedupe", is_flag=True, help="Take no two frames that look alike.")
@click.option(
    "--format", "form", type=click.Choice(("png", "jpg")), default="png", show_default=True
)
@click.option("--quality", type=Whole(1, 100), default=95, show_default=True, help="Of jpg.")
@json_option
@workspace_option
@click.pass_context
def command(
    context: click.Context, /, videos: tuple[str, ...], name: str, count: int | None,
    every: float | None, frames: int | None, shave: Sides, crop: str, scale: str, start: float,
    end: float | None, deinterlace: str, dedupe: bool, form: str, quality: int, as_json: bool,
    workspace: Path,
) -> None:  # fmt: skip
    """Make the data set NAME of frames of each VIDEO, a file or an address.

    Each picture is the frame nearest to its time. Several videos share the count by their length.
    """
    from multitrain.datasets.filmed.fields import Mending
    from multitrain.datasets.video.crops import parse_crops, parse_scale
    from multitrain.datasets.video.extracting import Request, extract

    if [count is not None, bool(every), frames is not None].count(True) != 1:
        raise UsageError("tell one of --count, --every with a time above 0, and --frames")
    if end is not None and end <= start:
        raise UsageError(f"--end ({end:g} s) must lie behind --start ({start:g} s)")
    request = Request(
        crops=parse_crops(crop, shave),
        scale=parse_scale(scale),
        count=count,
        every=every,
        frames=frames,
        start=start,
        end=end,
        mending=None if deinterlace == "auto" else Mending(deinterlace),
        dedupe=dedupe,
        suffix=f".{form}",
        quality=quality,
    )
    place = workspace_at(workspace)
    source = source_of(context)
    made = extract(place, name, videos, request, shown, shown_bytes, say, source)
    tell([made], as_json=as_json)


def source_of(context: click.Context) -> str:
    """What a data set tells that is made by a call with these parameters: its `SOURCE.txt`."""
    asked = [
        f"{option.opts[0]} {value}"
        for option in context.command.params
        if isinstance(option, click.Option) and option.name not in BESIDE
        and (value := context.params[option.name]) is not None
        and str(value) != str(option.get_default(context))
    ]  # fmt: skip
    return source_text(context.params["videos"], asked)

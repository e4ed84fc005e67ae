"""`multitrain formats`."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from os import cpu_count
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from jobs.errors import MultitrainError
from jobs.settings.videos import VIDEOS, FormatName
from jobs.workspace.disk import means_full


@dataclass(frozen=True)
class Known:
    """What `multitrain formats` shows of a format."""

    name: FormatName
    file: str
    pixels: str
    alpha: bool
    lossless: bool
    sizes: str
    film: bool  # whether a job can make its film in it; else it is only exported
    use: str
    ffmpeg: str | None  # path of the program that makes it; None: no program here can
    missing: str  # why no program here can


@click.command("formats")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(as_json: bool) -> None:
    """Tell which formats of video there are, what for, and which of them can be made here.

    A job's first format must be one that films are made in; others are exported from the film.
    """
    with ThreadPoolExecutor(cpu_count()) as threads:
        known = list(threads.map(_look, VIDEOS))
    if as_json:
        click.echo(json.dumps([asdict(each) for each in known], indent=2))
        return
    width = None if sys.stdout.isatty() else 200
    console = Console(file=sys.stdout, width=width)
    console.print(_table(known), highlight=False, markup=False)
    console.print(_programs(known), highlight=False, markup=False, end="")


def _look(name: FormatName) -> Known:
    from render.encoding import ffmpeg
    from render.encoding.formats import FORMATS

    video, form = VIDEOS[name], FORMATS[name]
    program, missing = None, ""
    try:
        program = ffmpeg.find(name)
    except MultitrainError as error:
        if means_full(error):
            raise
        missing = ffmpeg.why(error.__cause__ or error)
    clear = form.pixels.clear
    return Known(
        name=name,
        file=f"{video.suffix}/" if video.is_folder else video.suffix,
        pixels=" or ".join(dict.fromkeys(filter(None, (form.pixels.plain, clear)))),
        alpha=video.has_alpha,
        lossless=form.is_lossless,
        sizes=video.sizes,
        film=video.is_joinable,
        use=form.use,
        ffmpeg=program,
        missing=missing,
    )


def _table(known: list[Known]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("format", "file", "pixels", "alpha", "film", "sizes", "for", "works"):
        table.add_column(column, overflow="fold")
    for each in known:
        table.add_row(
            *(each.name, each.file, each.pixels, _yes(each.alpha), _yes(each.film), each.sizes),
            *(each.use, "yes" if each.ffmpeg else f"no: {each.missing}"),
        )
    return table


def _yes(is_so: bool) -> str:
    return "yes" if is_so else ""


def _programs(known: list[Known]) -> str:
    """A line for each ffmpeg that makes one of the formats, with its path."""
    programs = dict.fromkeys(each.ffmpeg for each in known if each.ffmpeg)
    return "".join(f"made by {Path(program)}\n" for program in programs)

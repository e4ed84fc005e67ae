"""`multitrain export`."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from jobs.disk import means_full
from jobs.errors import MultitrainError, UsageError
from jobs.videos import VIDEOS, FormatName
from jobs.words import one_of
from multitrain.cli_options import force_option
from multitrain.clip_commands.clip_options import refuse_other_kind, shown_frames


class _Formats(click.ParamType[tuple[FormatName, ...]]):
    name = "FORMAT,..."

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[FormatName, ...]:
        if not isinstance(value, str):
            return tuple(value)
        words = list(dict.fromkeys(word.strip() for word in value.split(",") if word.strip()))
        known: dict[str, FormatName] = {name: name for name in VIDEOS}
        for word in words:
            if word not in known:
                self.fail(f"{one_of(tuple(known), word)}; see `multitrain formats`", param, ctx)
        if not words:
            self.fail("names no format", param, ctx)
        return tuple(known[word] for word in words)


@click.command("export")
@click.argument(
    "films", nargs=-1, required=True, metavar="FILM...", type=click.Path(path_type=Path)
)
@click.option(
    "--format",
    "names",
    type=_Formats(),
    required=True,
    help="One or more of `multitrain formats`, comma-separated.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    show_default="beside each film",
    help="The folder to write to.",
)
@force_option
def command(
    films: tuple[Path, ...], names: tuple[FormatName, ...], output: Path | None, force: bool
) -> None:
    """Make copies of FILMs in other formats, frame for frame.

    night.mp4 becomes night.hap.mov, night.gif, or for png the folder night.png. A FILM is any video
    file without sound whose frames come at even times.
    """
    from render.clips.exporting import export_film, notes
    from render.reading import Film

    outputs = list(_checked(films, names, output, force=force))
    _require_programs(names)
    for film, name, _ in outputs:
        for note in notes(film, name):
            click.echo(f"note: {film}: {note}", err=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # which takes ffmpeg along
    for film, name, path in outputs:
        with shown_frames(path.name, Film.look(film).frames) as told:
            export_film(film, name, path, told)
        click.echo(path)


def _checked(
    films: Iterable[Path], names: Iterable[FormatName], folder: Path | None, *, force: bool
) -> Iterator[tuple[Path, FormatName, Path]]:
    """Each film, format and output; UsageError where one of them cannot be."""
    from render.clips.exporting import export_name

    if folder and not folder.is_dir():
        raise UsageError(f"there is no folder {folder}")
    taken: set[Path] = set()
    for film in films:
        if not film.is_file():
            raise UsageError(f"there is no film {film}")
        for name in names:
            beside = export_name(film, name)
            path = folder / beside.name if folder else beside
            if path.exists() and path.samefile(film):
                raise UsageError(f"{film} would be replaced by its own export; give another -o")
            if path.exists() and not force:
                raise UsageError(f"{path} is there already; --force replaces it")
            refuse_other_kind(path, name)
            if path in taken:
                raise UsageError(f"two films would become {path}; export them one by one")
            taken.add(path)
            yield film, name, path


def _require_programs(names: Iterable[FormatName]) -> None:
    from render import ffmpeg

    for name in names:
        try:
            ffmpeg.find(name)
        except MultitrainError as error:
            if means_full(error):
                raise
            raise UsageError(str(error)) from error

"""`multitrain export`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from jobs.errors import ExitCode, MultitrainError, UsageError
from jobs.secrets import hidden
from jobs.settings.videos import VIDEOS, FormatName
from jobs.settings.words import one_of
from jobs.workspace.disk import means_full
from jobs.workspace.paths import Workspace
from multitrain.commands.clips.clip_options import (
    gpus_option,
    refuse_no_film,
    refuse_other_kind,
    scale_with_option,
    shown_frames,
)
from multitrain.commands.clips.enlarge import export_enlarged
from multitrain.commands.options import force_option, workspace_option


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
@click.argument("films", nargs=-1, required=True, metavar="FILM...")
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
    show_default="beside each film; with --scale-with, the current one",
    help="The folder to write to.",
)
@scale_with_option
@click.option("--closed", is_flag=True, help="With --scale-with: FILMs are loops, and stay so.")
@gpus_option
@force_option
@workspace_option
@click.pass_context
def command(
    context: click.Context,
    /,
    films: tuple[str, ...],
    names: tuple[FormatName, ...],
    output: Path | None,
    scale_with: str | None,
    closed: bool,
    gpus: str,
    force: bool,
    workspace: Path,
) -> None:
    """Make copies of FILMs in other formats, frame for frame.

    A FILM is a job's name, or any video file without sound. night.mp4 becomes night.hap.mov,
    night.gif, or for png and dpx a folder of frames, night.png. What is there already is passed
    over; where another film has such a name, nothing is made.

    \b
    multitrain export night --format hap,prores -o show
    multitrain export night --format hap --scale-with sharp
    """
    place = Workspace(workspace.absolute())
    found = list(dict.fromkeys(_found(films, place)))
    if scale_with:
        _require_programs(names)
        if not export_enlarged(
            place, found, names, output, scale_with, gpus, closed=closed, force=force
        ):
            context.exit(ExitCode.FAILED)
        return
    if closed:
        raise UsageError("--closed is for --scale-with; an export is as closed as its film")
    wanted = list(_checked(found, names, output, force=force))
    _require_programs(names)
    if output:
        output.mkdir(parents=True, exist_ok=True)
    made = [_export(film, name, path, force=force) for film, name, path in wanted]
    if not all(made):
        context.exit(ExitCode.FAILED)


def _export(film: Path, name: FormatName, path: Path, *, force: bool) -> bool:
    """Whether `path` exists now; the reason why not is printed. MultitrainError for a full disk."""
    from render.clips.exporting import export_film, notes
    from render.files.film import Film

    if path.exists() and not force:
        click.echo(f"note: {path} is there already; --force replaces it", err=True)
        return True
    try:
        for note in notes(film, name):
            click.echo(f"note: {film}: {note}", err=True)
        with shown_frames(path.name, Film.look(film).frames) as on_progress:
            export_film(film, name, path, on_progress)
    except MultitrainError as error:
        if means_full(error):
            raise
        click.echo(hidden(str(error)), err=True)
        return False
    click.echo(path)
    return True


def _found(films: Iterable[str], workspace: Workspace) -> Iterator[Path]:
    """The given files, and the films of jobs. UsageError for what is neither."""
    from jobs.tinkering.earlier_jobs import past_job

    for film in films:
        if Path(film).is_file():
            yield Path(film)
            continue
        refuse_no_film(film)
        job = past_job(workspace, film)
        videos = workspace.job(film).films(job.plan)
        if missing := [video for video in videos if not video.is_file()]:
            raise UsageError(f"{film} has no film yet, which would be {missing[0]}")
        yield from videos


def _checked(
    films: Iterable[Path], names: Iterable[FormatName], folder: Path | None, *, force: bool
) -> Iterator[tuple[Path, FormatName, Path]]:
    """Each film, format and output; UsageError where one of them cannot be made."""
    from render.clips.exporting import export_name, is_export

    if folder and folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file, and no folder can be there")
    taken: set[Path] = set()
    for film in films:
        for name in names:
            beside = export_name(film, name)
            path = folder / beside.name if folder else beside
            if path.exists() and path.samefile(film):
                raise UsageError(f"{film} would be replaced by its own export; give another -o")
            refuse_other_kind(path, name)
            if path.exists() and not force and not is_export(film, name, path):
                raise UsageError(
                    f"{path} is there already, and is no {name} of {film}; move it away, give "
                    "another -o, or --force to replace it"
                )
            if path in taken:
                raise UsageError(f"two films would become {path}; export them one by one")
            taken.add(path)
            yield film, name, path


def _require_programs(names: Iterable[FormatName]) -> None:
    from render.encoding import ffmpeg

    for name in names:
        try:
            ffmpeg.find(name)
        except MultitrainError as error:
            if means_full(error):
                raise
            raise UsageError(str(error)) from error

"""`multitrain merge`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.errors import UsageError
from jobs.settings.kinds import Resolution
from jobs.settings.videos import FormatName
from jobs.sheets.rules import MOST_BOXES
from jobs.workspace.paths import Workspace
from multitrain.commands.clips.clip_options import (
    format_for,
    format_option_of,
    is_there,
    note_timecuts,
    output_for,
    output_option,
    refuse_taken,
    scale_option,
    shown_frames,
)
from multitrain.commands.options import Seconds, Whole, force_option

if TYPE_CHECKING:
    from render.files.merge import Merged

LONGEST_FADE = 3600  # seconds
TITLE = "merged"


@click.command("merge")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("jobs", nargs=-1, metavar="[JOB JOB...]")
@click.option(
    "--crossfade",
    type=Seconds(0, LONGEST_FADE),
    default=0.0,
    metavar="SECONDS",
    help="Each film fades into the next one; they are encoded anew.",
)
@click.option("--box", type=Whole(1, MOST_BOXES), help="Of jobs with boxes.")
@scale_option
@format_option_of("copied as they are; with --crossfade or --scale h264")
@output_option
@force_option
def command(folder: Path, jobs: Sequence[str], **options: Any) -> None:
    """Join the timecuts found in FOLDER, per job and box; they are kept.

    With names of jobs, their films one after another in one film, in that order:

    \b
    multitrain merge renders
    multitrain merge renders dusk night dawn --crossfade 2 -o fading.mp4
    multitrain merge renders dusk night dawn --scale 1080p -o large.mp4
    """
    from render.files.merge import merge_folder

    if jobs:
        _join_films(folder, jobs, **options)
        return
    if any(options.values()):
        raise UsageError(
            "--crossfade, --box, --scale, --format, -o and --force are for films of several jobs: "
            "name them"
        )
    merge_folder(folder, _tell)


def _tell(merged: Merged) -> None:
    click.echo(merged.path)
    if merged.was_there:
        click.echo(f"note: {merged.path} is there already, and is left as it is", err=True)
    cuts = f"{merged.timecuts} timecut{'s' if merged.timecuts > 1 else ''}"
    if merged.is_unfinished:
        click.echo(
            f"note: these are {merged.timecuts} of {merged.planned} timecuts of {merged.job}, so "
            "this is no film, but a part",
            err=True,
        )
    elif merged.planned is None:
        click.echo(
            f"note: {cuts}; nothing in {merged.path.parent} tells whether {merged.job} has more",
            err=True,
        )


def _join_films(
    folder: Path,
    jobs: Sequence[str],
    *,
    crossfade: float,
    box: int | None,
    scale: Resolution | None,
    name: FormatName | None,
    output: Path | None,
    force: bool,
) -> None:
    """Join the jobs' films: copied unless an option or the output's suffix asks for encoding."""
    from render.clips.asked import asked_for
    from render.clips.chaining import chain_films, chained_frames, copy_films, find_pieces
    from render.files.merge import is_join

    if len(jobs) < 2:
        raise UsageError(f"{jobs[0]} alone: name two jobs or more, or none to join timecuts")
    pieces = find_pieces(folder, jobs, box)
    suffix = pieces[0].files[0].suffix
    ends_alike = output is None or output.suffix.casefold() == suffix
    is_copied = ends_alike and not crossfade and name is None and scale is None
    form = format_for(name, output, "h264")
    place = Workspace(folder.absolute().parent)
    sources = [file for piece in pieces for file in piece.files]
    if is_copied:
        film = output or Path(f"{TITLE}{suffix}")
        refuse_taken(film, None, place, force=force or (film.is_file() and is_join(film, sources)))
    else:
        note = asked_for(sources, crossfade, scale, form)
        film = output_for(output, TITLE, form, place, force=force, note=note)
    for piece in pieces:
        note_timecuts(piece.job, piece.files)
    if film.exists() and any(film.samefile(file) for file in sources):
        raise UsageError(f"{film} is one of the films; give another name")
    if is_there(film, force=force):
        return
    if is_copied:
        made = copy_films(pieces, film)
    else:
        total = chained_frames(pieces, crossfade, scale)
        with shown_frames(film.name, total) as on_progress:
            made = chain_films(pieces, crossfade, form, film, on_progress, scale, note)
    click.echo(f"{film}: {made.frames} frames at {made.fps} fps, {made.frames / made.fps:.3f} s")
    click.echo("copied as they are" if is_copied else _encoded(made.fade, made.fps))


def _encoded(fade: int, fps: int) -> str:
    if not fade:
        return "encoded anew"
    return f"encoded anew, each fading into the next one for {fade} frames ({fade / fps:g} s)"

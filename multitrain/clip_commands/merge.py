"""`multitrain merge`."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path

import click

from jobs.errors import UsageError
from jobs.paths import Workspace
from jobs.videos import FormatName
from multitrain.cli_options import force_option, refuse_nan
from multitrain.clip_commands.clip_options import (
    format_for,
    format_option_of,
    output_for,
    output_option,
    refuse_taken,
    shown_frames,
)

LONGEST_FADE = 3600  # seconds
TITLE = "merged"


@click.command("merge")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("jobs", nargs=-1, metavar="[JOB JOB...]")
@click.option(
    "--crossfade",
    type=click.FloatRange(0, LONGEST_FADE),
    callback=refuse_nan,
    default=0.0,
    metavar="SECONDS",
    help="Each film fades into the next one; they are encoded anew.",
)
@click.option("--box", type=click.IntRange(1), help="Of jobs with boxes.")
@format_option_of("copied as they are; with --crossfade h264")
@output_option
@force_option
def command(
    folder: Path,
    jobs: Sequence[str],
    crossfade: float,
    box: int | None,
    name: FormatName | None,
    output: Path | None,
    force: bool,
) -> None:
    """Join the timecuts found in FOLDER, per job and box; they are kept.

    With names of jobs, their films one after another in one film, in that order:

    \b
    multitrain merge renders
    multitrain merge renders dusk night dawn --crossfade 2 -o set.mp4
    """
    from render.merge import merge_folder

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # which takes ffmpeg along
    if jobs:
        _join_films(folder, jobs, crossfade, box, name, output, force=force)
        return
    if crossfade or box or name or output or force:
        raise UsageError(
            "--crossfade, --box, --format, -o and --force are for films of several jobs: name them"
        )
    for film in merge_folder(folder):
        click.echo(film)


def _join_films(
    folder: Path,
    jobs: Sequence[str],
    crossfade: float,
    box: int | None,
    name: FormatName | None,
    output: Path | None,
    *,
    force: bool,
) -> None:
    """Copied where neither an option nor the output's ending asks for more, else encoded anew."""
    from render.clips.chaining import chain_films, chained_frames, copy_films, find_pieces

    if len(jobs) < 2:
        raise UsageError(f"{jobs[0]} alone: name two jobs or more, or none to join timecuts")
    pieces = find_pieces(folder, jobs, box)
    suffix = pieces[0].files[0].suffix
    ends_alike = output is None or output.suffix.casefold() == suffix
    is_copied = ends_alike and not crossfade and name is None
    form = format_for(name, output, "h264")
    place = Workspace(folder.absolute().parent)
    if is_copied:
        film = output or Path(f"{TITLE}{suffix}")
        refuse_taken(film, None, place, force=force)
    else:
        film = output_for(output, TITLE, form, place, force=force)
    sources = [file for piece in pieces for file in piece.files]
    if film.exists() and any(film.samefile(file) for file in sources):
        raise UsageError(f"{film} is one of the films; give another name")
    if is_copied:
        made = copy_films(pieces, film)
    else:
        total = chained_frames(pieces, crossfade)
        with shown_frames(film.name, total) as told:
            made = chain_films(pieces, crossfade, form, film, told)
    click.echo(f"{film}: {made.frames} frames at {made.fps} fps, {made.frames / made.fps:.3f} s")
    click.echo("copied as they are" if is_copied else _encoded(made.fade, made.fps))


def _encoded(fade: int, fps: int) -> str:
    if not fade:
        return "encoded anew"
    return f"encoded anew, each fading into the next one for {fade} frames ({fade / fps:g} s)"

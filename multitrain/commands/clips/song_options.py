"""Options of walks to songs."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from jobs.errors import UsageError
from jobs.settings.loops import Loop, WalkSettings, song_settings
from jobs.settings.songs import SongSettings
from multitrain.commands.clips.clip_options import Command, duration_of, loop_option, refuse_taken
from multitrain.commands.long_work import say_aside

if TYPE_CHECKING:
    from jobs.workspace.paths import Workspace
    from multitrain.hearing.heard import Heard
    from multitrain.walking.song_path import SongPath

LENGTHS = ("seconds", "frames", "beats", "bpm")
NOT_OF_SONGS = ("seconds", "frames", "beats", "keyframes")
# Parameters of a `song` in sheets that are options of `walk`; `bpm` is one of all walks.
OF_SONGS = [name for name in Loop.TABLE["song"] if name not in (*Loop.TABLE["walk"], "file")]


def song_options(command: Command) -> Command:
    """Add `--song`, what goes with it, and `--plot`."""
    plot = click.option(
        "--plot",
        type=click.Path(path_type=Path),
        metavar="FILE.png",
        help="Draw what is heard, and the way, as a picture.",
    )
    song = click.option(
        "--song",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="A song that it goes to, and has as its sound.",
    )
    command = plot(command)
    for name in reversed(OF_SONGS):
        command = loop_option("song", name)(command)
    return song(command)


def walk_settings(song: Path | None, **options: Any) -> WalkSettings:
    """What the options say; UsageError where they do not agree."""
    numbers = {name: options.pop(name) for name in LENGTHS}
    of_song = {name: options.pop(name) for name in OF_SONGS}
    if song:
        _refuse(NOT_OF_SONGS, "a song says how long a walk to it is, and its beats set keyframes")
        given = song_settings(file=str(song.absolute()), bpm=numbers["bpm"], **of_song)
        return WalkSettings(None, given, **options)
    _refuse((*OF_SONGS, "plot"), "it is about walks to a --song")
    duration = duration_of(**numbers)
    if duration is None:
        raise UsageError(
            "how long is the walk to be? --seconds, --frames, --beats with --bpm, or --song"
        )
    return WalkSettings(duration, **options)


def check_plot(plot: Path | None, place: Workspace, *, force: bool) -> None:
    """UsageError where the picture cannot, or should not, be written there."""
    if plot and plot.suffix.casefold() != ".png":
        raise UsageError(f"{plot} must end in .png, as a picture does")
    if plot:
        refuse_taken(plot, None, place, force=force)


def refuse_own(film: Path, song: SongSettings | None, plot: Path | None) -> None:
    """UsageError where the walk would take the place of its song, or of its plot."""
    if song and film.exists() and film.samefile(song.file):
        raise UsageError(f"{film} is the song; name another -o")
    if plot and plot.absolute() == film.absolute():
        raise UsageError(f"-o and --plot are both {plot}; name two files")


def tell_heard(
    heard: Heard, song: SongSettings, path: SongPath, fps: int, plot: Path | None
) -> None:
    """Tell what is heard in a song, and draw it. OSError, BeingMade."""
    say_aside(f"{song.file.name}: {heard.told}")
    if not plot:
        return
    from multitrain.walking.plot import draw
    from render.files.claims import making

    with making(plot) as part:
        draw(heard, song, path, fps).save(part, "PNG")
    say_aside(str(plot))


def _refuse(names: Collection[str], why: str) -> None:
    """UsageError where one of these options was given."""
    context = click.get_current_context()
    for name in names:
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            raise UsageError(f"--{name.replace('_', '-')} goes with another walk: {why}")

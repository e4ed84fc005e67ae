"""Loops, and films of several jobs in one, as scenes."""

from __future__ import annotations

from jobs.settings.loops import ClipSettings, Duration
from jobs.workspace.paths import Workspace
from render.clips.chaining import chain_films, copy_films, find_pieces
from render.clips.looping import make_loop
from tests.footage import write_video


def film(workspace: Workspace) -> None:
    """Six frames."""
    write_video(workspace.root / "film.mkv", 6, fps=60)


def loops(workspace: Workspace) -> None:
    """A film, and a folder of pictures; these stay where they are there."""
    source = [workspace.root / "film.mkv"]
    settings = ClipSettings("crossfade", Duration(frames=3), fade=2 / 60)
    make_loop(source, settings, "h264", workspace.root / "loop.mp4", _nobody)
    if not (folder := workspace.root / "loop.png").exists():
        make_loop(source, settings, "png", folder, _nobody)


def two_films(workspace: Workspace) -> None:
    workspace.renders.mkdir()
    for name in "ab":
        write_video(workspace.renders / f"{name}.mp4", 3, fps=60)


def one_after_another(workspace: Workspace) -> None:
    """Copied, and with a crossfade."""
    pieces = find_pieces(workspace.renders, "ab")
    copy_films(pieces, workspace.root / "copied.mp4")
    chain_films(pieces, 1 / 60, "h264", workspace.root / "faded.mp4", _nobody)


def _nobody(_: int) -> None:
    """Is told of the progress."""

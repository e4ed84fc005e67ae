"""Exports, as scenes."""

from __future__ import annotations

from jobs.workspace.paths import Workspace
from multitrain.commands.clips.export import command
from tests.footage import write_video


def film_with_an_old_export(workspace: Workspace) -> None:
    """Four frames, and a folder of pictures that is to be replaced."""
    write_video(workspace.root / "film.mkv", 4)
    old = workspace.root / "film.png"
    old.mkdir()
    (old / "frame_000000099.png").write_bytes(b"")


def export(workspace: Workspace) -> None:
    """A video, and folders of pictures; another one in a folder that is made for it."""
    film, folder = str(workspace.root / "film.mkv"), str(workspace.root / "show")
    command.main([film, "--format", "ffv1,png,dpx", "--force"], standalone_mode=False)
    command.main([film, "--format", "ffv1", "-o", folder, "--force"], standalone_mode=False)

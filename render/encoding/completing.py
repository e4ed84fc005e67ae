"""What ffmpeg leaves out of files that it has made."""

from __future__ import annotations

from pathlib import Path

from jobs.settings.videos import DPX, VIDEOS, FormatName
from render.encoding import dpx
from render.encoding.comments import add_comment


def complete(name: FormatName, output: Path, note: str) -> None:
    """Write it, and the note, into a video in this format, or into a folder of its frames."""
    if VIDEOS[name].suffix == DPX:
        dpx.tell_colours(output)
    add_comment(name, output, note)

"""Whether a file of any format is what it should be: decoded whole, counted, looked at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

import jobs.pictures.dpx  # noqa: F401  # adds itself to Pillow's formats
from jobs.errors import MultitrainError
from jobs.settings.videos import VIDEOS, FormatName
from jobs.workspace.files import listing
from render.encoding.containers import Rate, frame_name, tick
from render.encoding.formats import shown_fps, shown_frames, shown_size
from render.files.probe import verify


def verify_made(
    name: FormatName,
    path: Path,
    frames: int,
    fps: Rate,
    size: tuple[int, int],
    *,
    has_alpha: bool = False,
    has_sound: bool = False,
) -> None:
    """Decode what was made of `frames` frames of `size` at `fps`; MultitrainError where it is not
    all there, each frame at its time, and with alpha where the frames had it and the format does,
    and with sound where it must have it.

    A .webm has times in thousandths of a second, a .gif in hundredths: the nearest counts.
    """
    video = VIDEOS[name]
    shown = shown_size(name, *size)
    if video.is_folder:
        names = [frame_name(number, video.suffix) for number in range(frames)]
        _verify_pictures(path, names, shown)
        return
    verify(
        path,
        shown_frames(name, frames, fps),
        shown_fps(name, fps),
        *shown,
        # Players find the alpha of .webm; for decoders, nothing says that there is any.
        has_alpha=has_alpha and video.has_alpha and name != "webm",
        has_sound=has_sound,
        tick=tick(name),
    )


def _verify_pictures(folder: Path, names: Sequence[str], size: tuple[int, int]) -> None:
    if (there := listing(folder)) != names:
        raise MultitrainError(f"{folder} holds {len(there)} pictures instead of {len(names)}")
    for each in names:
        verify_picture(folder / each, size)


def verify_picture(path: Path, size: tuple[int, int]) -> None:
    """MultitrainError unless it is a picture of `size` that was written whole."""
    try:
        with Image.open(path) as image:
            found = image.size
            image.verify()
    except (OSError, SyntaxError) as error:
        raise MultitrainError(f"{path.name} was not written whole: {error}") from error
    if found != size:
        raise MultitrainError(f"{path.name} is {found[0]}x{found[1]}, not {size[0]}x{size[1]}")

"""Videos of any format that appear whole and verified, or not at all; also folders of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs.colours import RGBA
from jobs.paths import flush_to_disk, listing, part_of, publish
from jobs.videos import VIDEOS, FormatName
from render.clearing import remove
from render.containers import Rate
from render.verifying import verify_made


@contextmanager
def finished_video(
    output: Path,
    name: FormatName,
    frames: int,
    fps: Rate,
    size: tuple[int, int],
    channels: int,
) -> Iterator[Path]:
    """Yields a temporary path for a video made of `frames` frames of `size` with `channels`.

    Left without an exception, what was written is verified, flushed and replaces `output`. With
    one, or where it is not what it should be (MultitrainError), it is removed and `output` stays.
    """
    part = part_of(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    remove(part)
    try:
        if VIDEOS[name].is_folder:
            part.mkdir()
        yield part
        verify_made(name, part, frames, fps, size, has_alpha=channels == RGBA)
        for picture in listing(part):
            flush_to_disk(part / picture)
        if output.is_dir() and not output.is_symlink():
            remove(output)  # a folder that is not empty cannot be replaced in one step
        publish(part, output)
    except BaseException:
        remove(part)
        raise

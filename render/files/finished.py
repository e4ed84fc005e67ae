"""Videos of any format that appear whole and verified, or not at all; also folders of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs.settings.colours import RGBA
from jobs.settings.videos import VIDEOS, FormatName
from jobs.workspace.files import flush_to_disk, listing, publish, remove
from render.encoding.containers import Rate
from render.files.claims import claimed
from render.files.digests import mark, sha256_of
from render.files.verifying import verify_made


@contextmanager
def finished_video(
    output: Path,
    name: FormatName,
    frames: int,
    fps: Rate,
    size: tuple[int, int],
    channels: int,
    *,
    has_sound: bool = False,
) -> Iterator[Path]:
    """Yields a temporary path for a video made of `frames` frames of `size` with `channels`.

    When the block is left without an exception, what was written is verified, flushed and replaces
    `output`. With an exception, or where verifying fails (MultitrainError), it is removed and
    `output` stays. BeingMade where another process makes the same.
    """
    with claimed(output) as part:
        if VIDEOS[name].is_folder:
            part.mkdir()
        yield part
        has_alpha = channels == RGBA
        verify_made(name, part, frames, fps, size, has_alpha=has_alpha, has_sound=has_sound)
        for picture in listing(part):
            flush_to_disk(part / picture)
        if output.is_dir() and not output.is_symlink():
            remove(output)  # a folder that is not empty cannot be replaced in one step
        if part.is_file():
            mark(part, sha256_of(part))
        publish(part, output)

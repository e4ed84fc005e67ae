"""A note in a video: the comment that files of most formats may hold.

ffmpeg writes it, but not into a .gif, nor into pictures: there it is put into the header or behind
it, of a folder into its first picture.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

from PIL import Image

from jobs.settings.videos import DPX, GIF, PNG, VIDEOS, FormatName
from render.encoding import dpx
from render.encoding.containers import frame_name

_CHUNK = 2**20  # bytes that are moved at once

# GIF89a, 18: the header, whose last bytes begin with flags of a table of colours behind it.
_GIF_HEADER, _GIF_FLAGS, _HAS_COLOURS, _COLOURS = 13, 10, 0x80, 0x07
_PNG_HEADER = 33  # PNG (W3C), 5.2 and 11.2.2: the signature and the chunk IHDR


def comment_arguments(name: FormatName, note: str) -> list[str]:
    """What ffmpeg is told of a note: nothing where there is none, or `add_comment` adds it."""
    adds_later = VIDEOS[name].suffix in _ADDED
    return ["-metadata", f"comment={note}"] if note and not adds_later else []


def add_comment(name: FormatName, output: Path, note: str) -> None:
    """Add a note to what ffmpeg has made, where it cannot do so itself.

    Nothing is done to files that are not whole; whoever verifies them will tell.
    """
    video = VIDEOS[name]
    path = first_picture(output, video.suffix) if video.is_folder else output
    if note and video.suffix in _ADDED and path.exists():
        with path.open("r+b") as file:
            _ADDED[video.suffix](file, note.encode("ascii"))


def add_to_picture(path: Path, note: str) -> None:
    """Add a note to a PNG file."""
    with path.open("r+b") as file:
        _add_to_png(file, note.encode("ascii"))


def first_picture(folder: Path, suffix: str) -> Path:
    """The picture of a folder that holds its note."""
    return folder / frame_name(0, suffix)


def note_in_picture(path: Path) -> str | None:
    """The note of a PNG file, or of a folder of frames; None where there is none.

    OSError, SyntaxError or ValueError where it cannot be read.
    """
    if path.is_dir():
        firsts = [first_picture(path, video.suffix) for video in VIDEOS.values() if video.is_folder]
        path = next((each for each in firsts if each.exists()), firsts[0])
    if path.suffix == DPX:
        with path.open("rb") as file:
            return dpx.note_in(file)
    with Image.open(path) as picture:
        return picture.info.get("Comment")


def _add_to_png(file: IO[bytes], note: bytes) -> None:
    _insert(file, _PNG_HEADER, _chunk(b"tEXt" + b"Comment\x00" + note))


def _add_to_gif(file: IO[bytes], note: bytes) -> None:
    if len(header := file.read(_GIF_HEADER)) == _GIF_HEADER:
        flags = header[_GIF_FLAGS]
        colours = 2 << (flags & _COLOURS) if flags & _HAS_COLOURS else 0
        comment = b"\x21\xfe" + bytes([len(note)]) + note + b"\x00"  # GIF89a, 24
        _insert(file, _GIF_HEADER + 3 * colours, comment)


def _chunk(kind_and_data: bytes) -> bytes:
    """A chunk of a PNG (W3C, 5.3)."""
    length = len(kind_and_data) - 4
    return length.to_bytes(4, "big") + kind_and_data + zlib.crc32(kind_and_data).to_bytes(4, "big")


def _insert(file: IO[bytes], place: int, data: bytes) -> None:
    """Put `data` at `place` of a file; what stands there and behind is moved, the end first."""
    end = file.seek(0, 2)
    while end > place:
        begin = max(place, end - _CHUNK)
        file.seek(begin)
        moved = file.read(end - begin)
        file.seek(begin + len(data))
        file.write(moved)
        end = begin
    file.seek(place)
    file.write(data)


# How notes are added that ffmpeg does not write, by the suffix of the file.
_ADDED: dict[str, Callable[[IO[bytes], bytes], None]] = {
    GIF: _add_to_gif,
    PNG: _add_to_png,
    DPX: dpx.add_note,
}

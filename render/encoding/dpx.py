"""What DPX files (SMPTE 268M-2003) say of themselves, where ffmpeg does not write it so."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from jobs.pictures.dpx import MAGIC
from jobs.settings.videos import DPX
from jobs.workspace.files import listing

# Table 1: where the creator stands, and how the first element's values stand for light and colour.
_CREATOR, _CREATOR_BYTES = 160, 100
_TRANSFER_AND_COLORIMETRIC = 801
_ITU_R_709 = 6  # tables 5A and 5B


def tell_colours(folder: Path) -> None:
    """Have each frame in `folder` say that its colours are those of BT.709.

    Older versions of FFmpeg call them linear light whatever they are, and whoever believes that
    shows them far too bright.
    """
    for path in (folder / name for name in listing(folder)):
        if path.suffix == DPX:
            with path.open("r+b") as file:
                if _is_dpx(file):
                    file.seek(_TRANSFER_AND_COLORIMETRIC)
                    file.write(bytes([_ITU_R_709, _ITU_R_709]))


def add_note(file: IO[bytes], note: bytes) -> None:
    """Write a note where a file names its creator."""
    if len(note) >= _CREATOR_BYTES:
        raise ValueError(f"{len(note)} bytes are too long a note for DPX")
    if _is_dpx(file):
        file.seek(_CREATOR)
        file.write(note.ljust(_CREATOR_BYTES, b"\x00"))


def note_in(file: IO[bytes]) -> str | None:
    """What is written there; None where it is no DPX file."""
    if not _is_dpx(file):
        return None
    file.seek(_CREATOR)
    return file.read(_CREATOR_BYTES).partition(b"\x00")[0].decode("ascii", "replace")


def _is_dpx(file: IO[bytes]) -> bool:
    return file.read(len(next(iter(MAGIC)))) in MAGIC

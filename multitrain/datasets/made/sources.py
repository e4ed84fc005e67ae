"""What a data set was made of, told in it: so that nobody takes it for one of other pictures."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from jobs.reading import DamagedText, read_text
from jobs.secrets import plain_address

SOURCE = "SOURCE.txt"  # in the folder of a data set
END_BYTES = 2**20  # of a video's beginning, and of its end, that are looked at
DIGITS = 16


def address_told(address: str) -> str:
    """The line of pictures that came from an address."""
    return f"address: {plain_address(address)}\n"


def source_text(videos: Sequence[str], asked: Iterable[str]) -> str:
    """What tells the `videos`, files or addresses, and what was asked for: `--count 400`.

    A copy of a file is the same, wherever it lies. Of one that cannot be read, only its name is.
    """
    lines = [f"video: {_printable(_identity(each))}" for each in videos]
    return "".join(f"{line}\n" for line in [*lines, f"asked: {' '.join(asked)}"])


def read_source(folder: Path) -> str | None:
    """What a data set tells of itself; None where there is none, empty where it tells nothing."""
    if not os.path.lexists(folder):
        return None
    try:
        return read_text(folder / SOURCE)
    except (OSError, DamagedText):
        return ""


def _identity(video: str) -> str:
    if "://" in video:  # what may be a key in it must not be written down
        whole = hashlib.sha256(video.encode()).hexdigest()[:DIGITS]
        return f"{plain_address(video)}, sha256 of the whole address {whole}"
    path = Path(video)
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            digest = hashlib.sha256(file.read(END_BYTES))
            file.seek(max(0, size - END_BYTES))
            digest.update(file.read(END_BYTES))
    except OSError:  # whoever takes pictures of it says so
        return path.name
    return f"{path.name}, {size} bytes, sha256 of its ends {digest.hexdigest()[:DIGITS]}"


def _printable(text: str) -> str:
    return text if text.isprintable() else ascii(text)

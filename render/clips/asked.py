"""What a clip was made for, noted in its file, so that the same call again leaves it as it is.

The note is the comment that files of most formats may hold; a `.gif` and a folder of pictures have
none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import av

from render.files.probe import WITHOUT_DECODING

BEGINNING = "multitrain "
DIGITS = 32


def asked_for(files: Sequence[Path], *facts: object) -> str:
    """The note of a clip that is made of these files as the `facts` say, by their `repr`.

    It is a digest: another one where a fact differs, or a file has been written to.
    """
    stats = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return BEGINNING + hashlib.sha256(repr((stats, facts)).encode()).hexdigest()[:DIGITS]


def is_as_asked(path: Path, note: str) -> bool:
    """Whether a file has this note; False also where it cannot be read."""
    try:
        with av.open(str(path), **WITHOUT_DECODING) as container:
            metadata = {key.casefold(): value for key, value in container.metadata.items()}
    except (av.error.FFmpegError, OSError):
        return False
    return metadata.get("comment") == note

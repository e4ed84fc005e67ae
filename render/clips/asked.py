"""What a clip was made for, noted in its file, so that the same call again leaves it as it is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import av

from jobs.errors import MultitrainError
from jobs.settings.videos import PNG, FormatName
from render.encoding.comments import note_in_picture
from render.files.digests import sha256_of
from render.files.probe import WITHOUT_DECODING

BEGINNING = "multitrain "
DIGITS = 32


def asked_for(files: Sequence[Path], *facts: object) -> str:
    """The note of a clip that is made of these files as the `facts` say, by their `repr`.

    It is a digest: another one where a fact differs, or a file has been written to. MultitrainError
    where a file is not there any more.
    """
    try:
        stats = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    except OSError as error:
        raise MultitrainError(f"{error.filename} cannot be read: {error.strerror}") from error
    return _note(stats, facts)


def export_of(film: Path, name: FormatName) -> str:
    """The note of a film's export, which is read as a whole: a copy of it has the same ones."""
    return _note(sha256_of(film), name)


def _note(*facts: object) -> str:
    return BEGINNING + hashlib.sha256(repr(facts).encode()).hexdigest()[:DIGITS]


def is_as_asked(path: Path, note: str) -> bool:
    """Whether a file has this note; False also where it cannot be read."""
    try:
        if path.is_dir() or path.suffix.casefold() == PNG:
            return note_in_picture(path) == note
        with av.open(str(path.absolute()), **WITHOUT_DECODING) as container:
            metadata = {key.casefold(): value for key, value in container.metadata.items()}
    except (
        av.error.FFmpegError,
        OSError,
        SyntaxError,
        ValueError,
    ):  # the last two: of a damaged PNG
        return False
    return metadata.get("comment") == note

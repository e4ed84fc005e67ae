"""Digests: whether a file is still what it was when it was verified.

A segment holds its digest at its end, in a box of the kind `free`, which readers of .mp4 and .mov
skip: so video and digest get their name in one step. Timecuts and films hold none: their digests
are noted in the job's folder (`render.spool.notes`) and in its manifest. The digest of a raw batch,
and that of what is made of a film until it is noted, is an extended attribute of the file, where
the disk has such attributes.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import IO

from jobs.errors import MultitrainError

DIGEST_BYTES = 32  # of SHA-256, as in the manifest
_NAME = b"free" + b"sha-256:"
_BOX = (4 + len(_NAME) + DIGEST_BYTES).to_bytes(4, "big") + _NAME  # what stands before the digest
_MARK = "user.multitrain.sha256"  # an extended attribute
_CHUNK = 2**20  # bytes that are read at once


class Damaged(MultitrainError):
    """A file is not what it was when it was verified; it is made again, if that is possible."""


def mark(file: Path, sha256: str) -> None:
    """Keep its digest with a file; nothing happens where the disk cannot."""
    if hasattr(os, "setxattr"):
        with suppress(OSError):  # the file system may know no attributes, or be full
            os.setxattr(file, _MARK, sha256.encode())


def marked(file: Path) -> str | None:
    """The digest that `mark` kept with the file; None where there is none."""
    if not hasattr(os, "getxattr"):
        return None
    try:
        return os.getxattr(file, _MARK).decode(errors="replace")
    except OSError:
        return None


def is_as_marked(file: Path) -> bool:
    """Whether a file has the digest that it was marked with; True where it has no mark."""
    known = marked(file)
    return known is None or known == sha256_of(file)


def append_digest(video: Path) -> None:
    """Append the digest of an .mp4 or .mov to it."""
    with video.open("r+b") as file:
        digest = _sha256(file, os.fstat(file.fileno()).st_size)
        file.write(_BOX + digest)


def is_unchanged(video: Path) -> bool | None:
    """Whether a video is as it was when its digest was appended; None where it has none."""
    with video.open("rb") as file:
        end = os.fstat(file.fileno()).st_size - len(_BOX) - DIGEST_BYTES
        file.seek(max(0, end))
        box = file.read()
        if not box.startswith(_BOX):
            return None
        file.seek(0)
        return _sha256(file, end) == box[len(_BOX) :]


def sha256_of(path: Path) -> str:
    """The SHA-256 of a whole file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sha256(file: IO[bytes], length: int) -> bytes:
    """The SHA-256 of the next `length` bytes."""
    found = hashlib.sha256()
    while length > 0 and (chunk := file.read(min(length, _CHUNK))):
        found.update(chunk)
        length -= len(chunk)
    return found.digest()

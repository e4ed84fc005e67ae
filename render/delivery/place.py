"""What every far end is: it takes files, which appear there whole or not at all, and gives them.

A file is sent under a name that ends in `.part`, read back, compared, renamed.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Protocol

from jobs.workspace.files import PART

ANSWER_SECONDS = 60.0  # how long a server may keep silent
READ_BYTES = 2**20


class Altered(OSError):
    """What arrived is not what was sent."""

    def __init__(self) -> None:
        super().__init__("what arrived there is not what was sent")


class Place(Protocol):
    """A folder at the far end. Its methods raise whatever its library does: see `reasons`."""

    def take(self, file: Path, name: str) -> None:
        """Send a file; it then stands there as `name`, which may have folders in it."""

    def sizes(self, folder: str = "") -> dict[str, int]:
        """Bytes of each file in a folder within it, by its name; none where there is no such."""

    def read(self, name: str, start: int) -> Iterator[bytes]:
        """What the file of this name holds from byte `start` on, block by block."""

    def close(self) -> None: ...

    def cut(self) -> None:
        """End what is on its way; called from another thread."""


class ByRenaming(ABC):
    """A place that would show half-sent files: they are sent under another name, then renamed."""

    def take(self, file: Path, name: str) -> None:
        self.make_folder(str(PurePosixPath(name).parent))
        part = name + PART
        self.put(file, part)
        if self.digest(part) != sha256_of(file):
            raise Altered
        self.rename(part, name)

    @abstractmethod
    def make_folder(self, name: str) -> None: ...

    @abstractmethod
    def put(self, file: Path, name: str) -> None: ...

    @abstractmethod
    def digest(self, name: str) -> bytes:
        """SHA-256 of the file as it is there."""

    @abstractmethod
    def rename(self, old: str, new: str) -> None:
        """Rename `old`; replaces whatever is called `new`."""


def sha256_of(file: Path) -> bytes:
    """The digest by which both ends are compared."""
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").digest()

"""A folder on this machine, or mounted."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs.errors import MultitrainError
from jobs.settings.destinations import NO_FOLDER
from jobs.workspace.files import atomic_write, flush_to_disk, listing, part_of
from render.delivery.place import READ_BYTES, Altered, sha256_of


class Folder:
    """A folder whose disk may hang for hours, and with it the thread of a try that was given up.

    When the disk goes on, another try may be sending the same file. So each try writes a part of
    its own, and one that was given up ends.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._is_given_up = False

    def take(self, file: Path, name: str) -> None:
        """Copy the file. MultitrainError where there is no such folder: its disk is not mounted.

        To make the folder would fill the disk that the other one is to be mounted on.
        """
        if not self._folder.is_dir():
            raise MultitrainError(NO_FOLDER.format(self._folder))
        path = self._folder / name
        with _part_alone(path) as own, atomic_write(path, part=own) as part:
            with file.open("rb") as data, part.open("wb") as copy:
                while block := data.read(READ_BYTES):
                    copy.write(block)
                    self._go_on()
            if sha256_of(part) != sha256_of(file):
                raise Altered
            flush_to_disk(part)  # a disk that hangs does so here, not between this and the rename
            self._go_on()

    def sizes(self, folder: str = "") -> dict[str, int]:
        place = self._folder / folder
        files = ((name, place / name) for name in listing(place))
        return {name: file.stat().st_size for name, file in files if file.is_file()}

    def read(self, name: str, start: int) -> Iterator[bytes]:
        with (self._folder / name).open("rb") as far:
            far.seek(start)
            while block := far.read(READ_BYTES):
                self._go_on()
                yield block

    def _go_on(self) -> None:
        if self._is_given_up:
            raise TimeoutError("it was given up meanwhile")

    def close(self) -> None:
        pass

    def cut(self) -> None:
        """Have the try end as soon as its disk answers: nothing can interrupt a disk that hangs."""
        self._is_given_up = True


_parts_in_use: set[Path] = set()
_parts_lock = threading.Lock()


@contextmanager
def _part_alone(path: Path) -> Iterator[Path]:
    """A temporary name of `path` that no other thread writes to: the usual one, if it is free."""
    late = (path.with_name(f"{path.name}.{number}") for number in itertools.count(2))
    with _parts_lock:
        names = map(part_of, itertools.chain([path], late))
        part = next(name for name in names if name not in _parts_in_use)
        _parts_in_use.add(part)
    try:
        yield part
    finally:
        with _parts_lock:
            _parts_in_use.remove(part)

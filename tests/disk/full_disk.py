"""A disk that is full at one write, or from one write on: every call that writes is intercepted.

What a call leaves behind is what a full disk leaves behind: half of the data, an empty file, the
old name. Files that are there can be opened, cut and locked; only what needs room fails.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import sqlite3
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import IO, NamedTuple, Self
from unittest import mock

import av
import h5py

from jobs.workspace.files import PART
from render.encoding import ffmpeg

ROOMS = ("jobs", "render", "multitrain")
PROJECT = Path(__file__).parents[2]

NOT_WRITING = ("SELECT", "BEGIN", "ROLLBACK", "PRAGMA busy_timeout")  # SQL that needs no room

FFMPEG_WORDS = b"""\
[out#0/mp4 @ 0x55712aefee80] Error writing trailer: No space left on device
[out#0/mp4 @ 0x55712aefee80] Error closing file: No space left on device
[out#0/mp4 @ 0x55712aefee80] Nothing was written into output file
"""
FFMPEG_CODE = 228  # -ENOSPC as an exit code


class Place(NamedTuple):
    """A line of the project."""

    file: str  # relative to the project
    line: int


Way = tuple[Place, ...]  # the lines that are being executed, innermost first


class FullDisk:
    """The disk below `folder` has no room at the `nth` write (counting from 1), nor, where it
    `stays` full, at any later one. 0: there is room all the time. Only writes by that `way` count,
    if one is given: in which order several threads write is left to chance.

        with FullDisk(folder, nth=3) as disk:
            ...
        disk.failed  # the lines of the project whose writes failed
        disk.ways  # how often by which lines of the project was written
    """

    def __init__(
        self, folder: Path, nth: int, *, way: Way | None = None, stays: bool = False
    ) -> None:
        self.failed: list[Place] = []
        self.ways: Counter[Way] = Counter()
        self._folder = f"{folder}{os.sep}"
        self._nth, self._way, self._stays = nth, way, stays
        self._is_full = False
        self._lock = threading.Lock()
        self._patches = ExitStack()

    def __enter__(self) -> Self:
        real = {name: getattr(os, name) for name in ("open", "write", "pwrite", "mkdir")}
        self._real_mkdir, self._real_open, self._real_file = real["mkdir"], real["open"], io.open
        replaced: list[tuple[object, str, object]] = [
            (os, "open", self._os_open),
            (os, "mkdir", self._mkdir),
            (os, "write", self._half_of(real["write"])),
            (os, "pwrite", self._half_of(real["pwrite"])),
            (io, "open", self._open),
            (builtins, "open", self._open),
            (h5py, "File", self._hdf5(h5py.File)),
            (av, "open", self._video(av.open)),
            (ffmpeg, "_returncode", self._run(ffmpeg._returncode)),
            (sqlite3, "connect", self._connect(sqlite3.connect)),
            (tempfile, "tempdir", self._folder),
        ]
        replaced += [
            (os, name, self._or_nothing(getattr(os, name)))
            for name in ("fsync", "replace", "rename", "truncate", "ftruncate")
        ]
        for owner, name, stand_in in replaced:
            self._patches.enter_context(mock.patch.object(owner, name, stand_in))
        return self

    def __exit__(self, *exception: object) -> None:
        self._patches.close()

    # --- whether there is room --------------------------------------------------------------

    def has_room(self, path: object) -> bool:
        """Count a write to `path`, a name or a descriptor; False where it is to fail."""
        if not self._is_here(path) or not (way := _way()):
            return True
        with self._lock:
            self.ways[way] += 1
            if not self._is_full:
                count = self.ways[way] if self._way else self.ways.total()
                if self._way not in (None, way) or count != self._nth:
                    return True
                self._is_full = self._stays
            self.failed.append(way[0])
        return False

    def require_room(self, path: object) -> None:
        if not self.has_room(path):
            raise _no_space(path)

    def _is_here(self, path: object) -> bool:
        match path:
            case int():
                path = Path(f"/proc/self/fd/{path}").readlink()
            case str() | bytes() | os.PathLike():
                pass
            case _:  # a file in memory
                return False
        return os.fsdecode(path).startswith(self._folder)

    # --- what stands in for the calls --------------------------------------------------------

    def _or_nothing(self, real: Callable[..., object]) -> Callable[..., object]:
        def call(path: object, *arguments: object, **named: object) -> object:
            self.require_room(path)
            return real(path, *arguments, **named)

        return call

    def _half_of(self, real: Callable[..., int]) -> Callable[..., int]:
        def call(descriptor: int, data: bytes, *arguments: int) -> int:
            if self.has_room(descriptor):
                return real(descriptor, data, *arguments)
            real(descriptor, bytes(data)[: len(data) // 2], *arguments)
            raise _no_space(descriptor)

        return call

    def _os_open(self, path: str, flags: int, *arguments: int, **named: int | None) -> int:
        whole = path
        if (folder := named.get("dir_fd")) is not None:
            whole = str(Path(f"/proc/self/fd/{folder}").readlink() / path)
        if flags & os.O_CREAT and not os.path.lexists(whole):
            self.require_room(whole)
        return self._real_open(path, flags, *arguments, **named)

    def _mkdir(self, path: str, *arguments: int, **named: int) -> None:
        if not os.path.lexists(path):
            self.require_room(path)
        self._real_mkdir(path, *arguments, **named)

    def _open(self, path: object, mode: str = "r", *arguments: object, **named: object) -> object:
        writes = not mode.startswith("r") or "+" in mode
        if not writes or isinstance(path, int) or not self._is_here(path):
            return self._real_file(path, mode, *arguments, **named)
        if not os.path.lexists(path):  # type: ignore[arg-type]
            self.require_room(path)
        return _File(self, path, self._real_file(path, mode, *arguments, **named))

    def _hdf5(self, real: type) -> type:
        disk = self

        class File(real):  # type: ignore[misc]
            """A class, because Keras asks whether files are of it."""

            def __init__(self, path: Path, mode: str = "r", **options: object) -> None:
                if mode != "r" and not disk.has_room(path):
                    with disk._real_file(path, "wb") as file:
                        file.write(b"\x89HDF\r\n\x1a\n")
                    raise _no_space(path)
                super().__init__(path, mode, **options)

        return File

    def _video(self, real: Callable[..., object]) -> Callable[..., object]:
        def call(path: str, mode: str = "r", **options: object) -> object:
            if mode == "r":
                return real(path, mode, **options)
            self.require_room(path)
            return _Video(self, path, real(path, mode, **options))

        return call

    def _run(self, real: Callable[..., int]) -> Callable[..., int]:
        def call(command: Sequence[str], said: IO[bytes], *options: object) -> int:
            output = command[-1]
            if self.has_room(output):
                return real(command, said, *options)
            if output.endswith(PART):
                with self._real_file(output, "wb") as file:
                    file.write(bytes(48))
            said.write(FFMPEG_WORDS)
            said.flush()
            return FFMPEG_CODE

        return call

    def _connect(self, real: Callable[..., object]) -> Callable[..., object]:
        disk = self

        def call(path: object, **options: object) -> object:
            class Connection(sqlite3.Connection):
                def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
                    self.require_room(statement)
                    return super().execute(statement, *values)

                def executemany(self, statement: str, *values: object) -> sqlite3.Cursor:
                    self.require_room(statement)
                    return super().executemany(statement, *values)

                def require_room(self, statement: str) -> None:
                    if not _changes(statement) or disk.has_room(path):
                        return
                    self.rollback()  # as SQLite does by itself
                    full = sqlite3.OperationalError("database or disk is full")
                    full.sqlite_errorcode = sqlite3.SQLITE_FULL
                    raise full

            return real(path, factory=Connection, **options)

        return call


class _File:
    """A file that is written; on a full disk, half of what is written arrives."""

    def __init__(self, disk: FullDisk, path: str | Path, file: io.IOBase) -> None:
        self._disk, self._path, self._file = disk, Path(path), file
        self._size = self._path.stat().st_size

    def write(self, data: bytes | str) -> int:
        if self._disk.has_room(self._path):
            return self._file.write(data)
        self._file.write(data[: len(data) // 2])
        raise _no_space(self._path)

    def close(self) -> None:
        if self._file.closed:
            return
        self._file.flush()
        size = os.fstat(self._file.fileno()).st_size  # the name may be another one by now
        self._file.close()
        if size > self._size:  # also by way of `fileno`
            self._disk.require_room(self._path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)


class _Video:
    """A video that is written packet by packet; on a full disk, it ends at one, or has no index."""

    def __init__(self, disk: FullDisk, path: str, container: av.container.OutputContainer) -> None:
        self._disk, self._path, self._container = disk, path, container

    def mux(self, packet: object) -> None:
        self._require_room()
        self._container.mux(packet)

    def close(self) -> None:
        """The index is written behind all the rest; the file is closed in any case."""
        self._container.close()
        self._require_room()

    def _require_room(self) -> None:
        if not self._disk.has_room(self._path):
            raise av.error.OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self._path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> object:
        return getattr(self._container, name)


def _way() -> Way:
    """Empty in a test's own doing."""
    way = []
    frame = sys._getframe(1)
    while frame is not None:
        if (file := _file_of_ours(frame.f_code.co_filename)) is not None:
            way.append(Place(file, frame.f_lineno))
        frame = frame.f_back
    return tuple(way)


@cache
def _file_of_ours(name: str) -> str | None:
    """Relative to the project; None for one of somebody else's, or of the tests."""
    path = Path(name)
    if not path.is_relative_to(PROJECT) or path.relative_to(PROJECT).parts[0] not in ROOMS:
        return None
    return str(path.relative_to(PROJECT))


def _changes(statement: str) -> bool:
    return not statement.startswith(NOT_WRITING)


def _no_space(path: object) -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)

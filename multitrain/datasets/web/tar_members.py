"""Files in tar archives of strangers: what is decompressed is counted, and the end must be there.

`tarfile` takes a header that it cannot read for the end of the archive, and reads names into memory
however long they are. Both are prevented here.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from jobs.pictures.finding import explain
from jobs.units import bytes_for_people

PIECE = 2**16  # bytes that are skipped at once
MOST_HEADER = 2**14  # bytes of all headers of one file; a path has 4096 at most (PATH_MAX of Linux)
STRUCTURE = 2**20  # bytes beside the files that are not counted: headers, what fills up the blocks

# How compressed files begin.
_COMPRESSED = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\0", lzma.open))


# What `tarfile` raises of headers whose numbers make no sense.
_OF_NUMBERS = (tarfile.TarError, ValueError, ArithmeticError, LookupError)


class NoTar(Exception):
    """The file does not begin as a tar archive does."""


class DamagedArchive(Exception):
    """Why the archive cannot be read to its end: a clause for a person."""


class TooMuch(Exception):
    """More bytes than there may be."""


def tar_members(archive: Path, most_bytes: int) -> Iterator[tuple[str, IO[bytes]]]:
    """Ordinary files in their order; each can be read until the next one is asked for.

    NoTar, DamagedArchive, and TooMuch where clearly more than `most_bytes` are decompressed, also
    of files that are passed over.
    """
    with _decompressed(archive) as file:
        reader = _Reader(file, most_bytes + STRUCTURE)
        try:
            tarred = tarfile.TarFile(fileobj=cast("IO[bytes]", reader))
        except tarfile.ReadError as error:
            raise NoTar from error
        except _OF_NUMBERS as error:
            raise DamagedArchive(explain(error)) from error
        try:
            while member := _next(tarred, reader):
                if member.isreg() and (content := tarred.extractfile(member)):
                    yield member.name, content
        except _OF_NUMBERS as error:
            raise DamagedArchive(explain(error)) from error
        reader.require_end()


def _decompressed(archive: Path) -> IO[bytes]:
    with archive.open("rb") as file:
        begin = file.read(6)
    for magic, opened in _COMPRESSED:
        if begin.startswith(magic):
            return cast("IO[bytes]", opened(archive))
    return archive.open("rb")


def _next(tarred: tarfile.TarFile, reader: _Reader) -> tarfile.TarInfo | None:
    """The next header; earlier ones, of which there may be millions, are forgotten."""
    tarred.members.clear()  # type: ignore[attr-defined]
    tarred.pax_headers.clear()  # type: ignore[attr-defined]
    reader.begin_header()
    try:
        return tarred.next()
    finally:
        reader.end_header()


class _Reader:
    """What `tarfile` reads from, forwards only."""

    def __init__(self, file: IO[bytes], most_bytes: int) -> None:
        self._file, self._most, self._position = file, most_bytes, 0
        self._header: int | None = MOST_HEADER  # bytes that are left; None within a file
        self._last = b""  # what was read of a header

    def begin_header(self) -> None:
        self._header = MOST_HEADER

    def end_header(self) -> None:
        self._header = None

    def tell(self) -> int:
        return self._position

    def seekable(self) -> bool:
        return True

    def seek(self, position: int) -> None:
        if position < self._position:
            raise DamagedArchive("its parts overlap")
        while (missing := position - self._position) and self._take(min(missing, PIECE)):
            pass

    def read(self, size: int) -> bytes:
        if self._header is None:
            return self._take(size)
        self._header -= size
        if self._header < 0:
            raise DamagedArchive(f"a header has more than {bytes_for_people(MOST_HEADER)}")
        self._last = self._take(size)
        return self._last

    def require_end(self) -> None:
        """Two blocks of zeros (POSIX, pax); some programs write one, and nothing behind it."""
        if len(self._last) < tarfile.BLOCKSIZE:
            raise DamagedArchive("it is cut off")
        if any(self._last):
            raise DamagedArchive(f"there is no header at byte {self._position - tarfile.BLOCKSIZE}")
        if any(self._take(tarfile.BLOCKSIZE)):
            raise DamagedArchive("there is more behind its end")
        while self._take(PIECE):  # checksums of what is compressed come last
            pass

    def _take(self, size: int) -> bytes:
        try:
            taken = self._file.read(size)
        except (EOFError, OSError, lzma.LZMAError, zlib.error) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # an error of the disk
            raise DamagedArchive(explain(error)) from error
        self._position += len(taken)
        if self._position > self._most:
            raise TooMuch
        return taken

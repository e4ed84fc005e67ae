"""Pictures out of zip and tar archives of strangers.

Nothing in an archive says where a file is written: every picture gets a name made here. Links,
devices and hidden files are passed over, and what comes out is counted while it does.
"""

from __future__ import annotations

import gzip
import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from jobs.errors import DatasetError
from jobs.pictures import SUFFIXES, Unreadable, UnreadablePicture, explain, probe
from jobs.units import bytes_for_people
from multitrain.datasets.fetching import OnBytes, Unusable

CHUNK = 2**18  # bytes
LONGEST_STEM = 80  # characters

Opened = Callable[[], IO[bytes]]


@dataclass
class Unpacked:
    """What came out of an archive."""

    pictures: int = 0
    left_out: list[Unreadable] = field(default_factory=list)


def unpack(archive: Path, folder: Path, most_bytes: int, on_bytes: OnBytes) -> Unpacked:
    """Write the pictures in `archive`, and its licence, into the empty `folder`.

    They are numbered in the order of the archive: `000012_roses_photo.jpg`. Files that are none,
    whatever they are called, are left out. Unusable where it is no archive or is damaged as a
    whole, DatasetError where it holds more than `most_bytes`.
    """
    unpacked, left = Unpacked(), most_bytes
    try:
        for name, opened in _members(archive):
            path = PurePosixPath(name.replace("\\", "/"))
            if path.name.startswith(".") or not (_is_licence(path) or _is_picture(path)):
                continue
            target = folder / _own_name(path, unpacked.pictures)
            try:
                left -= _write(opened, target, left)
                on_bytes(most_bytes - left, None)
                if not _is_licence(path):
                    probe(target)
                    unpacked.pictures += 1
            except (UnreadablePicture, *_OF_ONE_MEMBER) as error:
                unpacked.left_out.append(Unreadable(Path(name), explain(error)))
                target.unlink(missing_ok=True)
    except _OF_THE_ARCHIVE as error:
        raise Unusable(f"The archive is damaged: {explain(error)}") from error
    except _TooMuch:
        most = bytes_for_people(most_bytes)
        raise DatasetError(f"The archive holds more than {most}; see --most-gb") from None
    return unpacked


# What zipfile raises for one file of an archive that is whole: encrypted, damaged, an unknown way
# of compression.
_OF_ONE_MEMBER = (RuntimeError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError)
_OF_THE_ARCHIVE = (tarfile.TarError, gzip.BadGzipFile, *_OF_ONE_MEMBER)


class _TooMuch(Exception):
    """More bytes than there may be."""


def _members(archive: Path) -> Iterator[tuple[str, Opened]]:
    """Ordinary files, with how to open them."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            for info in zipped.infolist():
                kind = stat.S_IFMT(info.external_attr >> 16)
                if not info.is_dir() and kind in (0, stat.S_IFREG):
                    yield info.filename, lambda info=info: zipped.open(info)  # type: ignore[misc]
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as tarred:
            for member in tarred:
                if member.isreg():
                    yield member.name, lambda member=member: tarred.extractfile(member)  # type: ignore[misc]
    else:
        raise Unusable("What came is no zip or tar archive")


def _is_picture(path: PurePosixPath) -> bool:
    """By its name."""
    return path.suffix.casefold() in SUFFIXES


def _is_licence(path: PurePosixPath) -> bool:
    return path.stem.casefold() in ("license", "licence", "copying") and (
        path.suffix.casefold() in ("", ".txt", ".md")
    )


def _own_name(path: PurePosixPath, number: int) -> str:
    """Made of its number, its folder and its name, of which only letters and digits are kept."""
    if _is_licence(path):
        return "LICENSE.txt"
    told = "_".join((*path.parts[-2:-1], path.stem))
    stem = re.sub(r"[^A-Za-z0-9]+", "_", told).strip("_")[-LONGEST_STEM:]
    return f"{number:06d}_{stem}{path.suffix.casefold()}"


def _write(opened: Opened, target: Path, most: int) -> int:
    """How many bytes were written; _TooMuch where they are more than `most`."""
    written = 0
    with opened() as source, target.open("wb") as file:
        while chunk := source.read(CHUNK):
            written += len(chunk)
            if written > most:
                raise _TooMuch
            file.write(chunk)
    return written

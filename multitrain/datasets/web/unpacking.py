"""Pictures out of zip and tar archives of strangers.

Nothing in an archive says where a file is written: every picture gets a name made here. Links,
devices and hidden files are passed over, and what comes out is counted while it does.
"""

from __future__ import annotations

import lzma
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from jobs.errors import DatasetError
from jobs.pictures import SUFFIXES, Unreadable, UnreadablePicture, explain, probe
from jobs.units import bytes_for_people
from multitrain.datasets.web.fetching import Unusable
from multitrain.datasets.web.tar_members import DamagedTar, NoTar, TooMuch, tar_members
from multitrain.datasets.web.transfer import OnBytes

# Bytes that are asked for at once. For LZMA and bzip2, `zipfile` takes it for what to read of the
# compressed file, and makes all of it that there is in that.
PIECE = 2**12
LONGEST_STEM = 80  # characters

Opened = Callable[[], AbstractContextManager[IO[bytes]]]


@dataclass
class Unpacked:
    """What came out of an archive."""

    pictures: int = 0
    left_out: list[Unreadable] = field(default_factory=list)


def unpack(archive: Path, folder: Path, most_bytes: int, on_bytes: OnBytes) -> Unpacked:
    """Write the pictures in `archive`, and its licence, into the empty `folder`.

    They are numbered in the order of the archive: `000012_roses_photo.jpg`. Files that are none,
    whatever they are called, are left out. Unusable where it is no archive or is damaged as a
    whole, DatasetError where it holds more than `most_bytes`, of whatever it is.
    """
    unpacked, licences, left = Unpacked(), 0, most_bytes
    try:
        for name, opened in _members(archive, most_bytes):
            path = PurePosixPath(name.replace("\\", "/"))
            if path.name.startswith(".") or not (_is_licence(path) or _is_picture(path)):
                continue
            number = licences if _is_licence(path) else unpacked.pictures
            target = folder / _own_name(path, number)
            try:
                left -= _write(opened, target, left)
                on_bytes(most_bytes - left, None)
                if _is_licence(path):
                    licences += 1
                else:
                    probe(target)
                    unpacked.pictures += 1
            except (UnreadablePicture, *_OF_ONE_MEMBER) as error:
                unpacked.left_out.append(Unreadable(Path(name), explain(error)))
                target.unlink(missing_ok=True)
    except _OF_THE_ARCHIVE as error:
        raise Unusable(f"The archive is damaged: {explain(error)}") from error
    except NoTar:
        raise Unusable("What came is no zip or tar archive") from None
    except TooMuch:
        most = bytes_for_people(most_bytes)
        raise DatasetError(f"The archive holds more than {most}; see --most-gb") from None
    return unpacked


# What zipfile raises for one file of an archive that is whole: encrypted, damaged, an unknown way
# of compression.
_OF_ONE_MEMBER = (RuntimeError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError)
_OF_THE_ARCHIVE = (DamagedTar, *_OF_ONE_MEMBER)


def _members(archive: Path, most_bytes: int) -> Iterator[tuple[str, Opened]]:
    """Ordinary files, with how to open them."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            for info in zipped.infolist():
                kind = stat.S_IFMT(info.external_attr >> 16)
                if not info.is_dir() and kind in (0, stat.S_IFREG):
                    yield info.filename, lambda info=info: zipped.open(info)  # type: ignore[misc]
    else:
        for name, content in tar_members(archive, most_bytes):
            yield name, lambda content=content: content  # type: ignore[misc]


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
        return f"LICENSE_{number + 1}.txt" if number else "LICENSE.txt"
    told = "_".join((*path.parts[-2:-1], path.stem))
    stem = re.sub(r"[^A-Za-z0-9]+", "_", told).strip("_")[-LONGEST_STEM:]
    return f"{number:06d}_{stem}{path.suffix.casefold()}"


def _write(opened: Opened, target: Path, most: int) -> int:
    """How many bytes were written; TooMuch where they are more than `most`."""
    written = 0
    with opened() as source, target.open("wb") as file:
        while chunk := source.read(PIECE):
            written += len(chunk)
            if written > most:
                raise TooMuch
            file.write(chunk)
    return written

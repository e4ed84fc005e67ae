"""Pictures out of zip and tar archives of strangers.

Nothing in an archive says where a file is written: every picture gets a name made here. Links,
devices and hidden files are passed over, and what comes out is counted while it does.
"""

from __future__ import annotations

import errno
import re
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from jobs.errors import DatasetError
from jobs.pictures.finding import Unreadable, UnreadablePicture, explain, probe
from jobs.pictures.suffixes import is_foreign, is_picture, why_not_read
from jobs.units import bytes_for_people
from multitrain.datasets.web.fetching import Unusable
from multitrain.datasets.web.tar_members import DamagedArchive, NoTar, TooMuch, tar_members
from multitrain.datasets.web.transfer import OnBytes

# Bytes that are asked for at once. For LZMA and bzip2, `zipfile` reads so many of the compressed
# file, and returns all that they hold, which may be far more.
PIECE = 2**12
LONGEST_STEM = 80  # characters
END_BYTES = 2**16 + 2**10  # of a zip archive, which say where its list of files is
MOST_DIRECTORY = 2**27  # bytes: of more than a million files

Opened = Callable[[], AbstractContextManager[IO[bytes]]]


@dataclass
class Unpacked:
    """What came out of an archive."""

    pictures: int = 0
    left_out: list[Unreadable] = field(default_factory=list)


def unpack(archive: Path, folder: Path, most_bytes: int, on_bytes: OnBytes) -> Unpacked:
    """Write the pictures in `archive`, and its licence, into the empty `folder`.

    They are numbered in the order of the archive: `000012_roses_photo.jpg`. Files that are no
    pictures, whatever they are called, are left out. Unusable where `archive` is no archive or is
    damaged as a whole, DatasetError where it holds more than `most_bytes`, of whatever kind.
    """
    unpacked, licences, left = Unpacked(), 0, most_bytes
    try:
        for name, opened in _members(archive, most_bytes):
            path = PurePosixPath(name.replace("\\", "/"))
            if any(map(is_foreign, path.parts)) or not (_is_licence(path) or is_picture(path)):
                if not any(map(is_foreign, path.parts)) and (reason := why_not_read(path)):
                    unpacked.left_out.append(Unreadable(Path(name), reason))
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
            except (UnreadablePicture, _DamagedMember) as error:
                unpacked.left_out.append(Unreadable(Path(name), explain(error)))
                target.unlink(missing_ok=True)
    except DamagedArchive as error:
        raise Unusable(f"The archive is damaged: {explain(error)}") from error
    except NoTar:
        raise Unusable("What came is no zip or tar archive") from None
    except TooMuch:
        most = bytes_for_people(most_bytes)
        raise DatasetError(f"The archive holds more than {most}; see --most-gb") from None
    return unpacked


class _DamagedMember(Exception):
    """A file that cannot be read in a sound archive: encrypted, damaged, of unknown compression."""


def _is_damage(error: Exception) -> bool:
    """Whether `error` is about the content of the archive, whose numbers may be anything.

    zipfile and tarfile raise nearly anything then; a place before the file's begin is EINVAL.
    """
    return not isinstance(error, OSError) or error.errno in (None, errno.EINVAL)


def _members(archive: Path, most_bytes: int) -> Iterator[tuple[str, Opened]]:
    """Name and opener of each ordinary file. Raises NoTar, or DamagedArchive for a zip."""
    if zipfile.is_zipfile(archive):
        with _zip_at(archive) as zipped:
            for info in zipped.infolist():
                kind = stat.S_IFMT(info.external_attr >> 16)
                is_folder = info.filename.endswith("/")  # `is_dir` stumbles over an empty name
                if not is_folder and kind in (0, stat.S_IFREG):
                    yield info.filename, lambda info=info: zipped.open(info)  # type: ignore[misc]
    else:
        for name, content in tar_members(archive, most_bytes):
            yield name, lambda content=content: content  # type: ignore[misc]


def _zip_at(archive: Path) -> zipfile.ZipFile:
    with archive.open("rb") as file:
        file.seek(max(0, file.seek(0, 2) - END_BYTES))
        if (size := _directory_bytes(file.read())) > MOST_DIRECTORY:
            raise DamagedArchive(f"its list of files has {bytes_for_people(size)}")
    try:
        return zipfile.ZipFile(archive)
    except Exception as error:
        if not _is_damage(error):
            raise
        raise DamagedArchive(explain(error)) from error


def _directory_bytes(end: bytes) -> int:
    """The size of a zip archive's list, by its end; `zipfile` loads all of that (APPNOTE)."""
    place, place_64 = end.rfind(b"PK\5\6"), end.rfind(b"PK\6\6")
    sizes = [
        int.from_bytes(end[place + 12 : place + 16], "little") if place >= 0 else 0,
        int.from_bytes(end[place_64 + 40 : place_64 + 48], "little") if place_64 >= 0 else 0,
    ]
    in_64 = 2**32 - 1  # in the first, this means: see the second
    return max((size for size in sizes if size != in_64 or place_64 < 0), default=in_64)


def _is_licence(path: PurePosixPath) -> bool:
    return path.stem.casefold() in ("license", "licence", "copying") and (
        path.suffix.casefold() in ("", ".txt", ".md")
    )


def _own_name(path: PurePosixPath, number: int) -> str:
    """A file name of number, folder and name, of which only letters and digits are kept."""
    if _is_licence(path):
        return f"LICENSE_{number + 1}.txt" if number else "LICENSE.txt"
    name = "_".join((*path.parts[-2:-1], path.stem))
    stem = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")[-LONGEST_STEM:]
    return f"{number:06d}_{stem}{path.suffix.casefold()}"


def _write(opened: Opened, target: Path, most: int) -> int:
    """Write a file; returns its bytes. TooMuch where they are more than `most`."""
    written = 0
    with target.open("wb") as file:
        for chunk in _pieces(opened):
            written += len(chunk)
            if written > most:
                raise TooMuch
            file.write(chunk)
    return written


def _pieces(opened: Opened) -> Iterator[bytes]:
    """One file's content; _DamagedMember, DamagedArchive or TooMuch where it cannot be read."""
    try:
        with opened() as source:
            while chunk := source.read(PIECE):
                yield chunk
    except (DamagedArchive, TooMuch):
        raise
    except tarfile.TarError as error:  # the files that follow cannot be reached
        raise DamagedArchive(explain(error)) from error
    except Exception as error:
        if not _is_damage(error):
            raise
        raise _DamagedMember(explain(error)) from error

"""What a user gives `multitrain quick` to make a film of."""

from __future__ import annotations

import enum
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from jobs.errors import UsageError
from jobs.pictures.finding import find_all
from jobs.pictures.suffixes import is_picture, is_video
from jobs.settings.words import quoted
from multitrain.datasets.made.making import plain_name
from multitrain.datasets.web.transfer import require_address

ARCHIVES = (".zip", ".tar", ".tgz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst")


class Kind(enum.Enum):
    """What it is, which decides how pictures come of it."""

    VIDEOS = enum.auto()  # files
    ADDRESS = enum.auto()  # of a video
    ARCHIVE = enum.auto()  # an address of packed pictures
    PICTURES = enum.auto()  # a folder of them, which stays as it is


class Given(NamedTuple):
    """A video, a folder or an address; `videos` are what frames are taken of."""

    named: str
    kind: Kind
    videos: tuple[str, ...] = ()

    @classmethod
    def find(cls, named: str, workspace: Path) -> Given:
        """UsageError where there is no such thing, or nothing that a film can be made of."""
        if "://" in named:
            require_address(named)
            if urlsplit(named).path.casefold().endswith(ARCHIVES):
                return cls(named, Kind.ARCHIVE)
            return cls(named, Kind.ADDRESS, (named,))
        path = Path(named)
        if path.is_dir():
            return cls._folder(path, workspace)
        if not path.is_file():
            raise UsageError(f"there is no file or folder {quoted(named)}")
        if is_picture(path):
            raise UsageError(f"{path} is one picture; name a video, or a folder of pictures")
        return cls(_plain(path), Kind.VIDEOS, (_plain(path),))

    @classmethod
    def _folder(cls, path: Path, workspace: Path) -> Given:
        for other in (Path.cwd(), workspace):
            if other.resolve().is_relative_to(path.resolve()):
                raise UsageError(
                    f"{path} holds {other}, where things are made: these would be taken for yours; "
                    "name a folder with your videos alone"
                )
        below = find_all([path])
        videos = [Path(each.path) for each in below.unreadable if is_video(Path(each.path))]
        if videos:
            return cls(_plain(path), Kind.VIDEOS, tuple(map(_plain, sorted(videos))))
        if not below.pictures:
            raise UsageError(f"{path} holds no videos and no pictures")
        full = str(path.absolute())
        if "," in full or "*" in full or not full.isprintable():
            raise UsageError(f"{full!a} cannot stand in a sheet; make a link to it of a plain name")
        return cls(_plain(path), Kind.PICTURES)

    @property
    def is_of_the_web(self) -> bool:
        return "://" in self.named

    @property
    def name(self) -> str:
        """What its job may be called."""
        if self.is_of_the_web:
            file = PurePosixPath(unquote(urlsplit(self.named).path, errors="replace")).name
            return plain_name(file.partition(".")[0])
        path = Path(self.named)
        return plain_name(path.stem if path.is_file() else path.resolve().name)


def _plain(path: Path) -> str:
    """As a command takes it: a name such as `-x.mp4` is no option."""
    return f"./{path}" if str(path).startswith("-") else str(path)

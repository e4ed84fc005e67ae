"""Which pictures of two data sets belong together: those of one name, up to its suffix."""

from __future__ import annotations

from collections.abc import Sequence

from jobs.pictures.filmed import FRAME

Name = tuple[int, str]


def names_of_pictures(paths: Sequence[str], tops: Sequence[str]) -> dict[Name, int]:
    """The number of each picture by its name: the place of its folder, and its path there without
    suffixes. Of two with one name, the first counts.

    `tops` are the folders, which end in a separator.
    """
    named: dict[Name, int] = {}
    for number, path in enumerate(paths):
        place = owner(path, tops)
        named.setdefault((place, _without_suffixes(path.removeprefix(tops[place]))), number)
    return named


def _without_suffixes(path: str) -> str:
    """A picture's path without its suffix; a frame's without that of its video, either."""
    name, _, suffix = path.rpartition(".")
    if f".{suffix}" != FRAME:
        return name
    video, slash, number = name.rpartition("/")
    return f"{video.rpartition('.')[0]}{slash}{number}"


def owner(path: str, tops: Sequence[str]) -> int:
    """The place of the first folder that holds it. Folders end in a separator."""
    return next(place for place, folder in enumerate(tops) if path.startswith(folder))

"""Which pictures of two data sets belong together: those of one name, up to its suffix."""

from __future__ import annotations

from collections.abc import Sequence

Name = tuple[int, str]


def names_of_pictures(paths: Sequence[str], tops: Sequence[str]) -> dict[Name, int]:
    """The number of each picture by its name: the place of its folder, and its path there without
    its suffix. Of two with one name, the first counts.

    `tops` are the folders, which end in a separator.
    """
    named: dict[Name, int] = {}
    for number, path in enumerate(paths):
        place = owner(path, tops)
        name, _, _ = path.removeprefix(tops[place]).rpartition(".")
        named.setdefault((place, name), number)
    return named


def owner(path: str, tops: Sequence[str]) -> int:
    """The place of the first folder that holds it. Folders end in a separator."""
    return next(place for place, folder in enumerate(tops) if path.startswith(folder))

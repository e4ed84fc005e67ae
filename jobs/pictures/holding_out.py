"""Which pictures of a data set are held out of a training, so that it is measured by them.

Frames of a video are alike: runs of pictures whose names count up stay together, as far as the
share allows, so that hardly one that is held out has a neighbour that is trained on.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence

from jobs.units import by_numbers


def held_out(names: Sequence[str], share: float, seed: int) -> list[int]:
    """The places of the names of those that are held out, in order: `share` of them.

    Runs are drawn by their first names, so that few change sides where others come or go; of the
    last one that is drawn, the end is taken.
    """
    left, found = count_of(len(names), share), list[int]()
    for run in sorted(_runs(names), key=lambda run: drawn(names[run[0]], seed), reverse=True):
        found += run[-left:] if left else []
        left -= min(left, len(run))
    return sorted(found)


def part_of(
    paths: Sequence[str], tops: Sequence[str], share: float, seed: int, *, is_held_out: bool
) -> list[int]:
    """The places of the pictures that are held out, or of all others; `tops` are their folders,
    each with a separator behind.
    """
    names = [
        next((path.removeprefix(top) for top in tops if path.startswith(top)), path)
        for path in paths
    ]
    chosen = {*held_out(names, share, seed)}
    return [place for place in range(len(names)) if (place in chosen) == is_held_out]


def longest_row(paths: Sequence[str], places: Iterable[int]) -> int:
    """How many of the pictures at these places, in order, follow each other in one folder."""
    longest, row, last = 0, 0, -2
    for place in places:
        follows = place == last + 1 and _folder(paths[place]) == _folder(paths[last])
        row = row + 1 if follows else 1
        longest, last = max(longest, row), place
    return longest


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def count_of(pictures: int, share: float) -> int:
    """How many of so many are the share: at least one, and not all."""
    return min(max(1, round(share * pictures)), pictures - 1)


def drawn(name: str, seed: int) -> bytes:
    """What a name draws: the higher, the sooner it is taken."""
    return hashlib.blake2b(f"{seed} {name}".encode(errors="surrogateescape")).digest()


def _runs(names: Sequence[str]) -> list[list[int]]:
    """The places of names that count up, run by run."""
    order = sorted(range(len(names)), key=lambda place: by_numbers(names[place]))
    runs: list[list[int]] = []
    for place in order:
        if runs and _follows(names[runs[-1][-1]], names[place]):
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs


def _follows(before: str, name: str) -> bool:
    """Whether one number of the name is higher by one, or none: `1_left`, `1_right`, `2_left`."""
    (start, *was), (begin, *now) = (re.split(r"\d+", each, maxsplit=1) for each in (before, name))
    numbers = [[*map(int, re.findall(r"\d+", each))] for each in (before, name)]
    if start != begin or not was or not now or len(numbers[0]) != len(numbers[1]):
        return False
    steps = [b - a for a, b in zip(*numbers, strict=True) if a != b]
    return steps in ([], [1])

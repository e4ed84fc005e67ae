"""Two folders of pictures into a data set of pairs: files of like names in two folders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from jobs.errors import DatasetError, UsageError
from jobs.pictures.finding import (
    Unreadable,
    UnreadablePicture,
    find_pictures,
    picture_read,
)
from jobs.units import by_numbers
from jobs.workspace.files import link
from jobs.workspace.paths import Workspace
from multitrain.datasets.decoded.decoding import upright
from multitrain.datasets.looking.contact_sheet import contact_sheet
from multitrain.datasets.looking.likeness import perceptual_hash
from multitrain.datasets.made.making import Made, new_data_set
from multitrain.datasets.parallel import in_order

INPUTS, TARGETS = "inputs", "targets"  # the folders of a data set of pairs
MOST_BITS = 16  # of 64 in which the hashes of a pair may differ; pictures by chance differ in 32
PAIRS_SHOWN = 12  # on a contact sheet


class By(StrEnum):
    """What makes two pictures a pair."""

    NAME = "name"  # the path below its folder, without the suffix
    ORDER = "order"  # the first with the first
    LIKENESS = "likeness"  # what is most alike to the eye, seen from both sides


class Pair(NamedTuple):
    """The files of an input and its target."""

    input: Path
    target: Path


Progress = Callable[[Iterable[int | None], str, int], Iterator[int | None]]


class Found(NamedTuple):
    """The pairs of two folders, and the files that have no place in one."""

    pairs: list[Pair]
    left_out: list[Unreadable]


def find_pairs(inputs: Path, targets: Path, by: By, progress: Progress) -> Found:
    """What is a pair in two folders, in the order of the inputs.

    `progress` shows how many pictures were looked at. DatasetError where there are no pairs;
    UsageError, by order, for folders of different counts.
    """
    (of_inputs, unreadable), (of_targets, more) = find_pictures([inputs]), find_pictures([targets])
    left_out = [*unreadable, *more]
    match by:
        case By.NAME:
            pairs = list(_of_same_name(of_inputs, of_targets, (inputs, targets)))
        case By.ORDER:
            pairs = list(_in_order(of_inputs, of_targets, (inputs, targets)))
        case By.LIKENESS:
            pairs = list(_alike(of_inputs, of_targets, progress, left_out))
    if not pairs:
        raise DatasetError(f"No picture in {inputs} and none in {targets} are a pair by {by}")
    placed = {file for each in pairs for file in each} | {each.path for each in left_out}
    alone = sorted({*of_inputs, *of_targets} - placed)
    return Found(pairs, [*left_out, *(Unreadable(path, "has no counterpart") for path in alone)])


def make_pairs(workspace: Workspace, name: str, found: Found, inputs: Path) -> Made:
    """Make the data set `name` of what was found, in `inputs/` and `targets/` under one name.

    That is the path below the folder `inputs`. Files are linked, where the disk allows it, and
    never changed. UsageError for a name that is taken.
    """
    with new_data_set(workspace, name) as (folder,):
        for each, below in zip(found.pairs, _names(found.pairs, inputs), strict=True):
            for file, side in zip(each, (INPUTS, TARGETS), strict=True):
                target = folder / side / f"{below}{file.suffix.lower()}"
                target.parent.mkdir(parents=True, exist_ok=True)
                link(file.resolve(), target)
    count = len(found.pairs)
    notes = (f"{count} pair{'s' * (count != 1)}, in {INPUTS}/ and {TARGETS}/",)
    facts: dict[str, object] = {"pairs": [[str(file) for file in each] for each in found.pairs]}
    return Made(workspace.dataset(name), 2 * count, tuple(found.left_out), notes, facts)


def sheet_of_pairs(pairs: Sequence[Pair], count: int = PAIRS_SHOWN) -> Image.Image:
    """Some pairs, evenly chosen: inputs in one row, their targets in the next."""
    chosen = [pairs[n * len(pairs) // count] for n in range(count)] if len(pairs) > count else pairs
    files = [each.input for each in chosen] + [each.target for each in chosen]
    return contact_sheet(files, columns=len(chosen), rows=2)


def stem_below(path: Path, folder: Path) -> str:
    """What two files of a pair have in common: the path below their folder, without a suffix."""
    return str(path.relative_to(folder).with_suffix(""))


def _of_same_name(
    inputs: Sequence[Path], targets: Sequence[Path], folders: tuple[Path, Path]
) -> Iterator[Pair]:
    named: dict[str, Path] = {}
    for path in targets:
        named.setdefault(stem_below(path, folders[1]), path)
    for path in inputs:
        if target := named.pop(stem_below(path, folders[0]), None):
            yield Pair(path, target)


def _in_order(
    inputs: Sequence[Path], targets: Sequence[Path], folders: tuple[Path, Path]
) -> Iterator[Pair]:
    if len(inputs) != len(targets):
        counts = " and ".join(
            f"{len(found)} pictures in {folder}"
            for found, folder in zip((inputs, targets), folders, strict=True)
        )
        raise UsageError(f"by order, both folders must hold as many pictures: there are {counts}")
    in_order = (
        sorted(paths, key=lambda path: by_numbers(str(path))) for paths in (inputs, targets)
    )
    return map(Pair, *in_order)


def _alike(
    inputs: Sequence[Path],
    targets: Sequence[Path],
    progress: Progress,
    left_out: list[Unreadable],
) -> Iterator[Pair]:
    """Pictures of which each is the one most like the other, in the order of the inputs.

    So a picture has at most one partner, and none where several are as much alike. Files that
    cannot be read go to `left_out`.
    """
    hashes: dict[Path, np.uint64] = {}
    every = [*inputs, *targets]
    with closing(in_order(_hash_of, every)) as work:
        for path, found in zip(every, progress(work, "looking", len(every)), strict=True):
            if found is None:
                left_out.append(Unreadable(path, "cannot be decoded"))
            else:
                hashes[path] = np.uint64(found)
    ours, theirs = ([path for path in side if path in hashes] for side in (inputs, targets))
    if not (ours and theirs):
        return
    sides = (np.array([hashes[path] for path in side], np.uint64) for side in (ours, theirs))
    of_ours, of_theirs = sides
    nearest, distances = _nearest(of_ours, of_theirs)
    back, _ = _nearest(of_theirs, of_ours)
    for place, (other, bits) in enumerate(zip(nearest, distances, strict=True)):
        if other >= 0 and back[other] == place and bits <= MOST_BITS:
            yield Pair(ours[place], theirs[other])


def _nearest(hashes: np.ndarray, others: np.ndarray) -> tuple[list[int], list[int]]:
    """For each hash the place of the nearest other, -1 where several are as near; in how many
    bits they differ.
    """
    places, distances = [], []
    for each in hashes:
        bits = np.bitwise_count(others ^ each)
        place = int(bits.argmin())
        least = int(bits[place])
        places.append(place if np.count_nonzero(bits == least) == 1 else -1)
        distances.append(least)
    return places, distances


def _hash_of(path: Path) -> int | None:
    """None for a file that cannot be decoded."""
    try:
        with picture_read(path) as image:
            return perceptual_hash(upright(image, with_alpha=False))
    except UnreadablePicture:
        return None


def _names(pairs: Sequence[Pair], folder: Path) -> Iterator[str]:
    """A name for both files of each pair, below their folders: the input's, where that is free."""
    taken: set[str] = set()
    for each in pairs:
        stem = stem_below(each.input, folder)
        name, number = stem, 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem}~{number}"
        taken.add(name.casefold())
        yield name

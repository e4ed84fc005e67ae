"""A data set into two: what a network learns from, and what it is tested with."""

from __future__ import annotations

from pathlib import Path

from jobs.errors import DatasetError
from jobs.pictures.finding import find_pictures
from jobs.pictures.holding_out import count_of, drawn
from jobs.units import by_numbers
from jobs.workspace.files import link, listing
from jobs.workspace.paths import Workspace
from multitrain.datasets.made.making import Made, new_data_set
from multitrain.datasets.made.pairing import INPUTS, TARGETS, stem_below

TRAIN, TEST = "train", "test"  # folders of the new data set


def split(
    workspace: Workspace,
    folder: Path,
    name: str,
    share: float,
    seed: int = 0,
    *,
    last: bool = False,
) -> Made:
    """Make the data set `name` of the pictures in `folder`: in `train/` and in `test/`.

    `share` of the pictures, rounded, at least one, are for tests: by chance, in which a picture's
    own name is drawn, so that few change sides where others come or go; or the `last` ones, for
    frames of a video, whose neighbours are alike. Both files of a pair are on the same side. Files
    are linked, where the disk allows it. DatasetError where there are fewer than two pictures.
    """
    paths, unreadable = find_pictures([folder])
    has_pairs = {*listing(folder)} >= {INPUTS, TARGETS}
    stems = {path: _stem(path, folder, has_pairs=has_pairs) for path in paths}
    names = list(dict.fromkeys(stems.values()))
    if len(names) < 2:
        raise DatasetError(f"{folder} holds too few pictures to be split: {len(names)}")
    count = count_of(len(names), share)
    order = (
        sorted(names, key=by_numbers)
        if last
        else sorted(names, key=lambda each: drawn(each, seed), reverse=True)
    )
    for_tests = frozenset(order[-count:])
    with new_data_set(workspace, name) as (target,):
        for path in paths:
            side = target / (TEST if stems[path] in for_tests else TRAIN)
            place = side / path.relative_to(folder)
            place.parent.mkdir(parents=True, exist_ok=True)
            link(path.resolve(), place)
    tested = sum(stems[path] in for_tests for path in paths)
    notes = (f"{len(paths) - tested} in {TRAIN}/, {tested} in {TEST}/",)
    facts: dict[str, object] = {TRAIN: len(paths) - tested, TEST: tested}
    return Made(workspace.dataset(name), len(paths), tuple(unreadable), notes, facts)


def _stem(path: Path, folder: Path, *, has_pairs: bool) -> str:
    """The name that the files of a pair have in common; of other pictures, the whole path."""
    below = path.relative_to(folder)
    is_of_pair = has_pairs and below.parts[0] in (INPUTS, TARGETS)
    return stem_below(path, folder / below.parts[0]) if is_of_pair else str(below)

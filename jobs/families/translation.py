"""What families have in common that make pictures into pictures: their feeds, their cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jobs.families.feed import PICTURES, Feed
from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import Half
from jobs.settings.spec import JobSpec, names_of

INPUTS, TARGETS = "inputs", "targets"
SAMPLES = "samples_of_"  # before the name of a feed: pictures like its, which frames show

_OTHER: Mapping[Half, Half] = {"left": "right", "right": "left"}


def feeds(spec: JobSpec) -> tuple[Feed, ...]:
    """Targets with their inputs; or the pictures that both are made of."""
    first, *pairs = _trained_on(spec)
    return (first, *pairs, *_shown(spec))


def _trained_on(spec: JobSpec) -> Sequence[Feed]:
    if spec.side_by_side:
        return _halves("", spec.side_by_side, spec.folders, spec.weights, spec.column_of_pictures)
    whole = Feed.of_dataset(spec)
    if not spec.inputs:
        return [whole]
    targets = Feed(TARGETS, whole.folders, whole.weights, column=whole.column)
    return [targets, Feed(INPUTS, names_of(spec.inputs), pair_of=TARGETS, column="inputs")]


def _shown(spec: JobSpec) -> Sequence[Feed]:
    """The feeds of `sample_from`, which frames alone show."""
    folders = names_of(spec.sample_from)
    if not folders:
        return []
    if spec.side_by_side:
        return _halves(SAMPLES, spec.side_by_side, folders, None, "sample_from")
    name = SAMPLES + (INPUTS if spec.inputs else PICTURES)
    return [Feed(name, folders, is_drawn=False, column="sample_from")]


def _halves(
    prefix: str,
    inputs: Half,
    folders: tuple[str, ...],
    weights: tuple[int, ...] | None,
    column: str,
) -> Sequence[Feed]:
    is_drawn = prefix != SAMPLES
    targets = prefix + TARGETS
    return [
        Feed(targets, folders, weights, half=_OTHER[inputs], column=column, is_drawn=is_drawn),
        Feed(
            prefix + INPUTS,
            folders,
            pair_of=targets,
            half=inputs,
            column=column,
            is_drawn=is_drawn,
        ),
    ]


def shows(spec: JobSpec) -> tuple[str, ...]:
    """The pictures of a cell, from left to right: `input`, `output`, `target`."""
    return tuple(spec.show.split("+"))


def cell(spec: JobSpec, width: int, height: int) -> Resolution:
    """The size of a cell."""
    return Resolution(len(shows(spec)) * width, height)

"""What families have in common that make pictures into pictures: their feeds, their cells."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence, Set

from jobs.families.feed import PICTURES, Feed
from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import Half
from jobs.settings.spec import JobSpec, names_of, weights_of

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


def unpaired(spec: JobSpec) -> tuple[Feed, ...]:
    """Targets and inputs, drawn apart from each other."""
    weights = weights_of(spec.inputs)
    inputs = Feed(INPUTS, names_of(spec.inputs), weights, column="inputs")
    column = spec.column_of_pictures
    return (Feed(TARGETS, spec.folders, spec.weights, column=column), inputs, *_shown(spec))


def _shown(spec: JobSpec) -> Sequence[Feed]:
    """The feeds of `sample_from`, which frames alone show."""
    folders = names_of(spec.sample_from)
    if not folders:
        return []
    if spec.side_by_side:
        return _halves(SAMPLES, spec.side_by_side, folders, None, "sample_from")
    name = SAMPLES + (PICTURES if spec.makings else INPUTS)
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


def wrong_show(spec: JobSpec, known: Set[str]) -> Iterator[tuple[str, str]]:
    """Whether frames are to show what there is not; `known` is what the family has."""
    wanted = shows(spec)
    if unknown := [each for each in wanted if each not in known]:
        others = " and ".join(sorted(known))
        yield "show", f"shows {unknown[0]}, which a {spec.family} does not have; it has {others}"
    elif spec.sample_from and spec.inputs and "target" in wanted:
        yield (
            "show",
            "shows targets, and of the pictures of sample_from, which are inputs, there are none; "
            "leave sample_from empty, or show input+output",
        )


def wrong_terms(spec: JobSpec, known: Collection[str]) -> Iterator[tuple[str, str]]:
    """Whether the loss has terms that make no sense; `known` are those of the family."""
    names = [term.name for term in spec.losses]
    if unknown := [name for name in names if name not in known]:
        yield (
            "losses",
            f"names {unknown[0]}, which a {spec.family} does not have; it has {', '.join(known)}",
        )
    elif twice := next((name for name in names if names.count(name) > 1), None):
        yield "losses", f"names {twice} twice; once is enough"
    elif not (counting := {term.name for term in spec.losses if term["weight"]}):
        yield "losses", "has no term with a weight above 0"
    elif counting <= {"tv"}:
        yield "losses", "wants nothing of pictures but that they are flat; add l1 or gan"
    elif counting <= {"cycle", "identity"}:
        yield "losses", "is content with copies of the inputs; add gan"
    elif "gan" not in counting:
        for column in ("feature_matching", "label_smoothing"):
            if getattr(spec, column):
                yield column, "has no effect without gan in losses; leave it 0"


def shows(spec: JobSpec) -> tuple[str, ...]:
    """The pictures of a cell, from left to right: `input`, `output`, `target`."""
    return tuple(spec.show.split("+"))


def cell(spec: JobSpec, width: int, height: int) -> Resolution:
    """The size of a cell."""
    return Resolution(len(shows(spec)) * width, height)

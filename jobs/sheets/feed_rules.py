"""What is wrong with the folders of a job that has more than one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from jobs.families.feed import Feed
from jobs.families.table import family_of
from jobs.pictures.folders import DatasetFolders, Found
from jobs.pictures.pairing import Name
from jobs.settings.spec import GROUP_OF, RIVALS, JobSpec, means_something

MOST_NAMED = 3  # pictures that a message names


def wrong_inputs(spec: JobSpec) -> dict[str, str]:
    """One reason for each column that does not go with another one about inputs and targets.

    Columns that mean nothing to the job's family are passed over.
    """
    reasons = dict(_wrong_folders(spec))
    for group in RIVALS:
        first, *others = [each for each in group if _is_given(each, spec)] or [""]
        for column in others:
            reasons.setdefault(
                column, f"stands beside {first}, which says the same; keep one of them"
            )
    return reasons


def _wrong_folders(spec: JobSpec) -> Iterator[tuple[str, str]]:
    if not means_something("inputs", spec.family):
        return
    are_made = means_something("input_from", spec.family)
    if spec.dataset and not spec.inputs and not are_made:
        yield (
            "dataset",
            f"is not enough for a {spec.family}: name what it is to make under targets, and what "
            "it is to make this of under inputs",
        )
    elif spec.inputs and not spec.targets:
        yield (
            "inputs",
            "are there, and nothing says what is to be made of them: name that under targets, "
            "instead of dataset",
        )
    elif spec.targets and not spec.inputs:
        yield (
            "targets",
            "are there without inputs; name these as well"
            + (", or the pictures under dataset, where inputs are made of them" * are_made),
        )
    elif spec.inputs and spec.targets and _are_paired(spec):
        if len(spec.inputs) != len(spec.targets):
            yield (
                "inputs",
                f"names {len(spec.inputs)} folders, and targets {len(spec.targets)}: each has one "
                "of the other",
            )
        elif any(folder.weight for folder in spec.inputs):
            yield "inputs", "has a weight; it belongs to the folder of targets"


def _are_paired(spec: JobSpec) -> bool:
    return any(feed.pair_of for feed in family_of(spec).feeds(spec))


def _is_given(column: str, spec: JobSpec) -> bool:
    return bool(getattr(spec, column)) and means_something(column, spec.family)


def columns_of_folders(spec: JobSpec) -> frozenset[str]:
    """The settings that decide which folders are looked at."""
    rivals = (column for group in RIVALS for column in group)
    of_feeds = (feed.column for feed in family_of(spec).feeds(spec))
    return frozenset({"family", *GROUP_OF[spec.column_of_pictures], *rivals, *of_feeds})


def unfit_feeds(spec: JobSpec, folders: DatasetFolders, found: Found) -> dict[str, str]:
    """One reason for each column whose pictures do not go with those that were `found` for the
    first feed.
    """
    first, *others = family_of(spec).feeds(spec)
    reasons: dict[str, str] = {}
    for feed in others:
        if feed.folders == first.folders and feed.factor == 1:
            continue
        if reason := _unfit(feed, first, spec, folders, found):
            reasons.setdefault(feed.column, reason)
    return reasons


def _unfit(
    feed: Feed, first: Feed, spec: JobSpec, folders: DatasetFolders, of_first: Found
) -> str | None:
    found = folders.look_at(feed.folders, spec.preprocessing)
    if found.reason or found.unfit:
        return found.reason or found.unfit
    sizes = [(each.survey.size, each.size) for each in (found, of_first)]
    if sizes[0] != sizes[1]:
        return (
            f"holds pictures of {sizes[0][0]}, and {first.column} of {sizes[1][0]}; have all made "
            "one size, with preprocess and load_size"
        )
    if feed.pair_of is None:
        if feed.is_drawn and found.survey.count < spec.images_per_batch:
            return (
                f"holds {found.survey.count} pictures, fewer than a batch of "
                f"{spec.images_per_batch}; add pictures or set batch_size"
            )
        return None
    return _unpaired(folders.names(feed.folders), folders.names(first.folders), first.column)


def _unpaired(names: Collection[Name], of_first: Collection[Name], first: str) -> str | None:
    missing, left = (
        [n for n in a if n not in b] for a, b in ((of_first, names), (names, of_first))
    )
    if len(missing) == len(of_first):
        return f"has no picture of the name of one of {first}; name those of a pair alike"
    if missing:
        return f"lacks {_told(missing, len(of_first))} of {first}; add these, or take those out"
    if left:
        return (
            f"has {_told(left, len(names))} that {first} lacks; add these there, or take them out"
        )
    return None


def _told(names: Sequence[Name], count: int) -> str:
    shown = ", ".join(name for _, name in names[:MOST_NAMED])
    rest = len(names) - MOST_NAMED
    more = f" and {rest} more" if rest > 0 else ""
    return f"{len(names)} of the {count} pictures ({shown}{more})"


def pairs(spec: JobSpec, folders: DatasetFolders, found: Found) -> int:
    """How many items the first feed has, with all its pairs."""
    first, *others = family_of(spec).feeds(spec)
    of_pairs = [each.folders for each in others if each.pair_of == first.name]
    if all(each == first.folders for each in of_pairs):
        return found.survey.count
    left_out = len(found.survey.unreadable)
    return max(0, len(folders.names(first.folders)) - left_out)

"""What is wrong with the folders of a job that has more than one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from jobs.families.feed import Feed
from jobs.families.table import family_of
from jobs.pictures.folders import DatasetFolders, Found
from jobs.pictures.holding_out import count_of, longest_row, part_of
from jobs.pictures.pairing import Name
from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import CENTER_CROP, shrunk
from jobs.settings.spec import GROUP_OF, RIVALS, JobSpec, means_something
from jobs.settings.words import with_article

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
    if spec.held_out is not None and not 0 < spec.held_out < 1:
        yield "validation", "a share of the pictures must be above 0% and below 100%, such as 10%"
    for column in ("sample_from", "validation"):
        if any(folder.weight for folder in getattr(spec, column) or ()):
            yield column, "has a weight, and no step draws from it; leave the weight out"
    are_made = all(feed.folders for feed in family_of(spec).feeds(spec))
    if spec.dataset and not spec.inputs and not are_made:
        yield (
            "dataset",
            f"is not enough for {with_article(spec.family)}: name what it is to make under "
            "targets, and what it is to make this of under inputs",
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
    first, *others = feeds = family_of(spec).feeds(spec)
    folders_of = {each.name: each.folders for each in feeds}
    reasons: dict[str, str] = {}
    for feed in feeds:
        if reason := _too_few(feed, folders):
            reasons.setdefault(feed.column, reason)
    for feed in others:
        if feed.pair_of and feed.folders == folders_of[feed.pair_of]:  # made of the same files
            if feed.pair_of == first.name and (reason := _indivisible(feed, spec, found)):
                reasons.setdefault(feed.column, reason)
            continue
        if feed.folders == first.folders and feed.factor == 1:
            continue
        if reason := _unfit(feed, first, spec, folders, found):
            reasons.setdefault(feed.column, reason)
    return reasons


def _too_few(feed: Feed, folders: DatasetFolders) -> str | None:
    """Why there is no clip of a feed, or nothing of a share, in one clause."""
    if feed.pair_of or (feed.frames == 1 and not feed.part):
        return None
    paths = folders.paths(feed.folders)
    if not paths:  # built in, and drawn when it is needed
        return None
    places: Sequence[int] = range(len(paths))
    held = ""
    if feed.part:
        share, seed, is_held_out = feed.part
        if len(paths) == 1:
            return "is a share of a single picture; a share takes two" if is_held_out else None
        places = part_of(paths, folders.tops(feed.folders), share, seed, is_held_out=is_held_out)
        held = " in what is held out" if is_held_out else " beside what is held out"
    if (longest := longest_row(paths, places)) >= feed.frames:
        return None
    return (
        f"has no {feed.frames} consecutive pictures{held}, as a clip is: at most {longest}; set "
        "clip, or take other pictures or another share"
    )


def _unfit(
    feed: Feed, first: Feed, spec: JobSpec, folders: DatasetFolders, of_first: Found
) -> str | None:
    if reason := _uneven(feed, spec):
        return reason
    found = folders.look_at(feed.folders, spec.preprocessing.smaller(feed.factor))
    if found.reason or found.unfit:
        return found.reason or found.unfit
    if reason := _unlike(found.survey.size, of_first.survey.size, feed.factor, first.column):
        return reason
    if feed.pair_of is None:
        if feed.is_drawn and found.survey.count < spec.images_per_batch:
            return (
                f"holds {found.survey.count} pictures, fewer than a batch of "
                f"{spec.images_per_batch}; add pictures or set batch_size"
            )
        return None
    return _unpaired(folders.names(feed.folders), folders.names(first.folders), first.column)


def _indivisible(feed: Feed, spec: JobSpec, found: Found) -> str | None:
    """Why smaller ones of the same pictures would show other parts of them."""
    sizes = {"pictures of": found.survey.size, "crop_size": spec.crop_size}
    for what, size in sizes.items():
        if size and any(side % feed.factor for side in size):
            even = shrunk(size, feed.factor)
            would = Resolution(*(side * feed.factor for side in even))
            return (
                f"is made {feed.factor} times smaller beforehand, and {what} {size} cannot be "
                f"divided so; {would} can"
            )
    return None


def _uneven(feed: Feed, spec: JobSpec) -> str | None:
    """Why smaller pictures of a pair would be cut at other places than the large ones."""
    for column in ("load_size", "crop_size"):
        size: Resolution | None = getattr(spec, column)
        if size and any(side % feed.factor for side in size):
            even = shrunk(size, feed.factor)
            would = Resolution(*(side * feed.factor for side in even))
            return (
                f"is {feed.factor} times smaller, and {column} {size} cannot be divided so; "
                f"{would} can"
            )
    if feed.factor > 1 and any(step.kind == CENTER_CROP for step in spec.preprocessing.fixed):
        return (
            f"is {feed.factor} times smaller, and what center_crop cuts out of the middle of large "
            "and small pictures need not be the same; use crop, or cut them with dataset convert"
        )
    return None


def _unlike(
    size: Resolution | None, of_first: Resolution | None, factor: int, first: str
) -> str | None:
    """Why decoded pictures of this size do not go with those of the first feed."""
    if size and of_first == (size.width * factor, size.height * factor):
        return None
    if factor > 1:
        return (
            f"holds pictures of {size}, and {first} of {of_first}; these must be just {factor} "
            "times as large"
        )
    return (
        f"holds pictures of {size}, and {first} of {of_first}; have all made one size, with "
        "preprocess and load_size"
    )


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
    """How many items the first feed has, with all its pairs, without what is held out."""
    first, *others = family_of(spec).feeds(spec)
    if first.part:
        count = found.survey.count
        return count - max(1, count_of(count, first.part.share))
    of_pairs = [each.folders for each in others if each.pair_of == first.name]
    if all(each == first.folders for each in of_pairs):
        return found.survey.count
    left_out = len(found.survey.unreadable)
    return max(0, len(folders.names(first.folders)) - left_out)

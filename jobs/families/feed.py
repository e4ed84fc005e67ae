"""The pictures that a kind of network is trained on: which folders, and what belongs together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import RESIZE, Half, Step
from jobs.settings.spec import JobSpec

PICTURES = "pictures"  # the feed of families that are trained on one data set


@dataclass(frozen=True)
class Feed:
    """Pictures that steps are given, batch by batch, each item of a batch drawn anew.

    - folders: names of data sets, with `weights` where they are drawn more or less often.
    - pair_of: the feed whose pictures of the same names these go with: a step sees the same part of
      both, the same way round. They are `factor` times smaller.
    - frames: an item is a clip, so many consecutive pictures of one folder; one that cannot be read
      ends a clip.
    - goes_on: each place of a batch shows the clip that follows the one of the batch before, so
      that a network may remember what it saw.
    - is_drawn: False: no step is given it, and frames alone show it.
    - half: files hold two pictures side by side, and this is the one in that half.
    - column: the setting that names the folders.

    Of a pair, only `folders`, `factor`, `half` and `column` are its own.
    """

    name: str
    folders: tuple[str, ...]
    weights: tuple[int, ...] | None = None
    pair_of: str | None = None
    factor: int = 1
    frames: int = 1
    goes_on: bool = False
    is_drawn: bool = True
    half: Half | None = None
    column: str = "dataset"

    @classmethod
    def of_dataset(cls, spec: JobSpec) -> Feed:
        """That of families that are trained on one data set."""
        return cls(PICTURES, spec.folders, spec.weights, column=spec.column_of_pictures)


def wrong_pairs(feeds: Sequence[Feed]) -> Iterator[str]:
    """A sentence for each feed whose name or whose `pair_of` cannot be."""
    for name, count in Counter(each.name for each in feeds).items():
        if count > 1:
            yield f"{count} feeds are called {name}"
    first = {each.name: each.pair_of is None for each in feeds}
    for each in feeds:
        if each.pair_of is not None and not first.get(each.pair_of, False):
            why = "is a pair itself" if each.pair_of in first else "the job does not have"
            yield f"{each.name} is a pair of {each.pair_of}, which {why}"


class Decoding(NamedTuple):
    """Which pictures, and what becomes of them when they are decoded; sizes are pixels."""

    folders: tuple[str, ...]
    width: int
    height: int
    channels: int
    steps: tuple[Step, ...] = ()  # of preprocessing


def decoding_of(
    feed: Feed, whole: Feed, loaded: Resolution, channels: int, steps: tuple[Step, ...]
) -> Decoding:
    """How a feed's pictures are decoded, where those of the `whole`, of which it is a pair, go
    through these `steps` and are then `loaded` so large.

    Smaller ones come from the same folders, and are then scaled down, or from folders of their own,
    which hold smaller ones, for which all sizes are. Where files are cut in two, the first of the
    `steps` does it.
    """
    if feed.half:
        steps = (Step.half(feed.half), *steps[1:])
    if feed.factor == 1:
        return Decoding(feed.folders, *loaded, channels, steps)
    size = _smaller(loaded, feed.factor)
    if feed.folders == whole.folders:
        steps = (*steps, Step(RESIZE, size))
    else:
        steps = tuple(Step(each.kind, _smaller(each.size, feed.factor)) for each in steps)
    return Decoding(feed.folders, *size, channels, steps)


def _smaller(size: Resolution, factor: int) -> Resolution:
    return Resolution(size.width // factor, size.height // factor)

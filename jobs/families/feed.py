"""The pictures that a kind of network is trained on: which folders, and what belongs together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import RESIZE, Half, Step, shrunk
from jobs.settings.spec import JobSpec
from jobs.settings.translation import Degradation

PICTURES = "pictures"  # the feed of families that are trained on one data set


class Part(NamedTuple):
    """A `share` of the pictures is held out, as `seed` draws it; the part is that one, or the rest.

    See `jobs.pictures.holding_out`.
    """

    share: float
    seed: int
    is_held_out: bool


@dataclass(frozen=True)
class Feed:
    """Pictures that steps are given, batch by batch, each item of a batch drawn anew.

    - folders: names of data sets, with `weights` where they are drawn more or less often.
    - sets_of: another feed with the same weights: the folder of each item is the one at the place,
      among these, that the other one's item has there.
    - pair_of: the feed whose pictures of the same names these go with: a step sees the same part of
      both, the same way round. They are `factor` times smaller.
    - frames: an item is a clip, so many consecutive pictures of one folder; one that cannot be read
      ends a clip.
    - goes_on: each place of a batch shows the clip that follows the one of the batch before, so
      that a network may remember what it saw.
    - in_shots: between two pictures of a clip there is no cut.
    - latest: of a stream, whose pictures come in their order, one in each step: a batch is drawn
      from so many of the newest ones; 0: it is no stream.
    - is_live: of a stream that comes from a camera or an address, while it is drawn from.
    - is_drawn: False: no step is given it, and frames alone show it.
    - is_shown: False as well: frames do not show it either, and networks are measured by it; a job
      may go on with others.
    - part: only a part of the pictures of its folders.
    - half: files hold two pictures side by side, and this is the one in that half.
    - codec: as whose video pictures are kept, those of a folder one after another; None: as they
      are decoded.
    - column: the setting that names the folders.

    Of a pair, only `folders`, `factor`, `half`, `codec` and `column` are its own.
    """

    name: str
    folders: tuple[str, ...]
    weights: tuple[int, ...] | None = None
    sets_of: str | None = None
    pair_of: str | None = None
    factor: int = 1
    frames: int = 1
    goes_on: bool = False
    in_shots: bool = False
    latest: int = 0
    is_live: bool = False
    is_drawn: bool = True
    is_shown: bool = True
    part: Part | None = None
    half: Half | None = None
    codec: Degradation | None = None
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
    codec: Degradation | None = None  # as whose video they are kept, folder by folder


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
        return Decoding(feed.folders, *loaded, channels, steps, feed.codec)
    size = shrunk(loaded, feed.factor)
    if feed.folders == whole.folders:
        steps = (*steps, Step(RESIZE, size))
    else:
        steps = tuple(each.smaller(feed.factor) for each in steps)
    return Decoding(feed.folders, *size, channels, steps, feed.codec)

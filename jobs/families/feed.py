"""The pictures that a kind of network is trained on: which folders, and what belongs together."""

from __future__ import annotations

from dataclasses import dataclass

PICTURES = "pictures"  # the feed of families that are trained on one data set


@dataclass(frozen=True)
class Feed:
    """Pictures that steps are given, batch by batch, each item of a batch drawn anew.

    - folders: names of data sets, with `weights` where they are drawn more or less often.
    - pair_of: the feed whose pictures of the same names these go with: a step sees the same part of
      both, the same way round. They are `factor` times smaller.
    - frames: an item is a clip, so many consecutive pictures of one folder.
    - goes_on: each place of a batch shows the clip that follows the one of the batch before, so
      that a network may remember what it saw.

    Of a pair, only `folders` and `factor` are its own.
    """

    name: str
    folders: tuple[str, ...]
    weights: tuple[int, ...] | None = None
    pair_of: str | None = None
    factor: int = 1
    frames: int = 1
    goes_on: bool = False

"""The pictures of a job, decoded and put together as its family wants them."""

from __future__ import annotations

import hashlib
import os
from bisect import bisect
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from jobs.errors import DatasetError
from jobs.families.feed import Feed, wrong_pairs
from jobs.pictures.finding import Unreadable
from jobs.pictures.holding_out import part_of
from jobs.pictures.pairing import names_of_pictures, owner
from jobs.pictures.suffixes import is_video
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.datasets.cached.cache import forget_decoded, open_pictures
from multitrain.datasets.decoded.folders import Fingerprint, Pictures
from multitrain.datasets.looking.cuts import shots_of
from multitrain.engine.feeds import Feeds, OpenFeed, clips

Fingerprints = Mapping[str, Fingerprint]
DIGEST_BYTES = 8  # of what items consist of


@dataclass(frozen=True)
class JobPictures:
    """The pictures of each feed of a job, and what a session is opened on."""

    pictures: Mapping[str, Pictures]
    feeds: Feeds

    @property
    def fingerprints(self) -> dict[str, Fingerprint]:
        """Of each feed that film and networks depend on: of its pictures, and of how they are put
        together.
        """
        return {
            name: _with_items(self.pictures[name].fingerprint, feed)
            for name, feed in self.feeds.items()
            if feed.feed.is_shown and not feed.feed.is_live
        }

    @property
    def measured_by(self) -> str:
        """Identifies the pictures that networks are measured by; empty where there are none."""
        return " ".join(
            _with_items(self.pictures[name].fingerprint, feed).digest
            for name, feed in self.feeds.items()
            if not feed.feed.is_shown
        )

    @property
    def skipped(self) -> Iterator[Unreadable]:
        """The files left out."""
        for each in self._each:
            yield from each.skipped

    @property
    def _each(self) -> list[Pictures]:
        """Those of several feeds once."""
        return list({id(each): each for each in self.pictures.values()}.values())

    @property
    def byte_count(self) -> int:
        return sum(each.images.nbytes for each in self._each)

    def are_intact(self) -> bool:
        """Whether all pictures still are as decoded. Takes about a second per GB."""
        return all(each.are_intact() for each in self._each)

    def forget_damaged(self) -> str:
        """Have damaged pictures decoded anew next time; their files, for people.

        All are, where the damage does not show any more.
        """
        every = self._each
        damaged = [each for each in every if not each.are_intact()] or every
        for each in damaged:
            forget_decoded(each)
        return ", ".join(str(each.mapped) for each in damaged)


def open_job_pictures(job: JobFile, workspace: Workspace, *, keep_free: int) -> JobPictures:
    """The pictures that `job` trains on; the cache leaves `keep_free` bytes of the disk free twice.

    DatasetError where there are none, or none that are pairs; ValueError where feeds of the family
    cannot be pairs.
    """
    for wrong in wrong_pairs(job.feeds):
        raise ValueError(wrong)
    once = {
        decoding: open_pictures(workspace, *decoding, keep_free=keep_free)
        for decoding in dict.fromkeys(job.decodings.values())
    }
    opened = {name: once[decoding] for name, decoding in job.decodings.items()}
    feeds: dict[str, OpenFeed] = {}
    for feed in job.feeds:
        if feed.is_live:
            ring = (feed.latest, job.image_height, job.image_width, job.plan.channels)
            feeds[feed.name] = OpenFeed(feed, np.zeros(ring, np.uint8))
        elif feed.pair_of is None:
            pairs = [each for each in job.feeds if each.pair_of == feed.name]
            feeds |= _put_together(feed, pairs, opened, workspace)
    return JobPictures(opened, feeds)


def _put_together(
    feed: Feed, pairs: Sequence[Feed], opened: Mapping[str, Pictures], workspace: Workspace
) -> dict[str, OpenFeed]:
    """A feed and its pairs, with the items that they have in common."""
    is_weighted = feed.weights is not None and len(feed.folders) > 1
    is_whole = feed.part is None and feed.frames == 1 and not feed.goes_on
    if not pairs and not is_weighted and is_whole:
        return {feed.name: OpenFeed(feed, opened[feed.name].images)}
    together = {each.name: each for each in (feed, *pairs)}
    tops = {
        name: [f"{workspace.dataset(folder)}{os.sep}" for folder in each.folders]
        for name, each in together.items()
    }
    paths = {name: list(map(str, opened[name].paths)) for name in together}  # paths are slow
    numbers = {feed.name: np.arange(len(paths[feed.name]))}
    if pairs:
        numbers = _of_same_names(paths, tops)
    if feed.part:
        own = [paths[feed.name][number] for number in numbers[feed.name]]
        share, seed, is_held_out = feed.part
        chosen = part_of(own, tops[feed.name], share, seed, is_held_out=is_held_out)
        numbers = {name: each[chosen] for name, each in numbers.items()}
    whole = numbers[feed.name]
    if not len(whole):
        others = " and ".join(each.name for each in pairs)
        raise DatasetError(
            f"No picture of {feed.name} has the name of one of {others}; name the files of a pair "
            "alike, up to their suffixes"
        )
    stretches = _stretches(paths[feed.name], opened[feed.name].skipped)
    shots = shots_of(opened[feed.name].images) if feed.in_shots else np.zeros(len(stretches), int)
    runs = _runs(whole, list(zip(stretches, shots, strict=True)))
    items, _, first_of_run = clips(runs, feed.frames, go_on=feed.goes_on)
    if not len(items):
        raise DatasetError(
            f"{feed.name} hold no {feed.frames} consecutive pictures"
            f"{' without a cut' if feed.in_shots else ''}, as a clip takes them"
        )
    counts: tuple[int, ...] = ()
    if is_weighted:
        begins = [paths[feed.name][number] for number in whole[items[:, 0]]]
        owners = [owner(path, tops[feed.name]) for path in begins]
        counts = tuple(owners.count(place) for place in range(len(feed.folders)))
    return {
        name: OpenFeed(
            each,
            opened[name].images,
            _unless_all(numbers[name][items], len(opened[name].images)),
            counts,
            first_of_run,
        )
        for name, each in together.items()
    }


def _of_same_names(
    paths: Mapping[str, Sequence[str]], tops: Mapping[str, Sequence[str]]
) -> dict[str, np.ndarray]:
    """The numbers of the pictures whose names are in all feeds, in the order of the first one."""
    named = {feed: names_of_pictures(paths[feed], tops[feed]) for feed in paths}
    first, *others = named.values()
    common = [name for name in first if all(name in other for other in others)]
    return {feed: np.array([of[name] for name in common], np.int32) for feed, of in named.items()}


def _stretches(paths: Sequence[str], skipped: Iterable[Unreadable]) -> list[tuple[str, int]]:
    """For each picture, its folder, and how many files were left out there before it.

    Videos do not count, nor does what there is a picture of, such as a camera's raw file.
    """
    without_suffix = {path.rpartition(".")[0] for path in paths}
    left_out: dict[str, list[str]] = defaultdict(list)
    for path in sorted(str(each.path) for each in skipped if not is_video(Path(each.path))):
        if path.rpartition(".")[0] not in without_suffix:
            left_out[_folder(path)].append(path)
    return [(folder := _folder(path), bisect(left_out[folder], path)) for path in paths]


def _folder(path: str) -> str:
    return path.rpartition(os.sep)[0]


def _runs(numbers: np.ndarray, stretches: Sequence[object]) -> list[int]:
    """How many of these pictures follow each other in one stretch, without a gap."""
    runs: list[int] = []
    for place, number in enumerate(numbers):
        follows = place and number == numbers[place - 1] + 1
        if follows and stretches[number] == stretches[number - 1]:
            runs[-1] += 1
        else:
            runs.append(1)
    return runs


def _unless_all(items: np.ndarray, count: int) -> np.ndarray | None:
    """None where each picture is an item."""
    is_plain = items.shape == (count, 1) and (items[:, 0] == np.arange(count)).all()
    return None if is_plain else items


def _with_items(fingerprint: Fingerprint, feed: OpenFeed) -> Fingerprint:
    parts = [fingerprint.digest, *([str(feed.counts)] if feed.counts else [])]
    parts += [
        hashlib.blake2b(table.tobytes(), digest_size=DIGEST_BYTES).hexdigest()
        for table in (feed.numbers, feed.runs)
        if table is not None
    ]
    return replace(fingerprint, digest=" ".join(parts))

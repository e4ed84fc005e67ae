"""Folders of pictures into one array, as a trainer wants them."""

from __future__ import annotations

import hashlib
import math
import mmap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import psutil

from jobs.errors import DatasetError
from jobs.pictures.finding import Unreadable, describe_unreadable
from jobs.pictures.folders import converting, is_filmed
from jobs.pictures.suffixes import is_video
from jobs.pictures.surveying import find_trainable
from jobs.settings.colours import RGB
from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import Step
from jobs.settings.translation import Degradation
from jobs.units import bytes_for_people
from multitrain.datasets.decoded.decoding import DIGEST_BYTES, Decoded, Uint8Array, decode


@dataclass(frozen=True)
class Fingerprint:
    """Identifies the pictures of a data set in memory."""

    count: int
    width: int  # pixels
    height: int
    digest: str  # BLAKE2b of all pixels in their order, hexadecimal

    @classmethod
    def of(cls, images: Uint8Array) -> Self:
        """The fingerprint of `(n, height, width, channels)` uint8, contiguous.

        Takes about a second per GB.
        """
        count, height, width, _ = images.shape
        digest = hashlib.blake2b(images.data, digest_size=DIGEST_BYTES).hexdigest()
        return cls(count, width, height, digest)

    @classmethod
    def of_decoded(cls, decoded: Decoded, width: int, height: int) -> Self:
        """The fingerprint of pictures of this size that were just decoded."""
        return cls(decoded.count, width, height, decoded.digest)

    def __str__(self) -> str:
        return f"{self.count} of {Resolution(self.width, self.height)}"

    def difference(self, now: Fingerprint) -> str:
        """How the data set `now` differs from this one, which it once was; empty if it does not."""
        if self == now:
            return ""
        if str(self) == str(now):
            return f"{self} then and now, but not the same ones or not in the same order"
        return f"{self} then, {now} now"


@dataclass(frozen=True)
class Pictures:
    """A data set in memory.

    `images` is `(n, height, width, channels)` uint8, RGB or RGBA, contiguous. It begins at a page
    of memory, so that an engine can use it where it is, and may be a file that is mapped. `paths`
    are their files, `skipped` those left out.
    """

    images: Uint8Array
    paths: tuple[Path, ...]
    skipped: tuple[Unreadable, ...]
    fingerprint: Fingerprint
    mapped: Path | None = None  # the file that `images` are mapped from

    def are_intact(self) -> bool:
        """Whether the pictures still are as decoded: changes to a mapped file show in them.

        Takes about a second per GB, in which other threads go on. Pictures that take more than half
        of the machine's memory count as intact: to read them once more would hold up the training.
        """
        if not self.mapped or self.images.nbytes > psutil.virtual_memory().total // 2:
            return True
        return self.fingerprint == Fingerprint.of(self.images)


def load_pictures(
    folders: Sequence[Path],
    width: int,
    height: int,
    channels: int = RGB,
    steps: tuple[Step, ...] = (),
    codec: Degradation | None = None,
) -> Pictures:
    """All pictures below `folders`, in the order of their listing.

    Only those that have `width` x `height` pixels after these `steps` of preprocessing; with a
    `codec`, as its video keeps them.

    Takes about a byte of memory per value. Unreadable files and those of another size are skipped;
    DatasetError where none is left, or where there is less memory than all of them take.
    """
    paths, unreadable, _ = find_trainable(folders)
    _require_memory(len(paths) * width * height * channels, folders)
    images = _pages((len(paths), height, width, channels))
    places = iter(images)

    def take(picture: Uint8Array) -> None:
        next(places)[...] = picture

    decoded = decode(paths, width, height, channels, take, steps, codec)
    skipped = (*unreadable, *decoded.skipped)
    if not decoded.count:
        raise none_left(folders, width, height, skipped)
    fingerprint = Fingerprint.of_decoded(decoded, width, height)
    return Pictures(images[: decoded.count], without(skipped, paths), skipped, fingerprint)


def _require_memory(wanted: int, folders: Sequence[Path]) -> None:
    """DatasetError where so many bytes are not free; it is easily asked for by a long video."""
    free = psutil.virtual_memory().available
    if wanted > free:
        raise DatasetError(
            f"The pictures of {', '.join(map(str, folders))} take {bytes_for_people(wanted)} of "
            f"memory, and {bytes_for_people(free)} are free; have them made smaller, with "
            "preprocess and load_size, or name fewer"
        )


def without(skipped: Sequence[Unreadable], paths: Iterable[Path]) -> tuple[Path, ...]:
    """The `paths` that were not skipped."""
    left_out = {path for path, _ in skipped}
    return tuple(path for path in paths if path not in left_out)


def _pages(shape: tuple[int, int, int, int]) -> Uint8Array:
    """Memory that is taken page by page as pictures arrive: those skipped cost next to nothing."""
    size = math.prod(shape)
    pages = mmap.mmap(-1, max(1, size), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return np.frombuffer(pages, np.uint8, size).reshape(shape)


def none_left(
    folders: Sequence[Path], width: int, height: int, skipped: Sequence[Unreadable]
) -> DatasetError:
    """What to raise where `folders` hold no picture of this size."""
    size, where = Resolution(width, height), ", ".join(map(str, folders))
    first = folders[0].parent if is_video(folders[0]) else folders[0]
    why = describe_unreadable(skipped, first) if skipped else "there are no pictures"
    reason = f"No picture of {size} in {where}: {why}"
    if not skipped or any(map(is_filmed, skipped)):
        return DatasetError(reason)
    command = converting(folders, size)
    return DatasetError(
        f"{reason}. Where only their size is wrong, this makes a data set of it: {command}"
    )

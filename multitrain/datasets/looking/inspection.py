"""What is in a data set: every picture decoded once, and all summed up."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from jobs.pictures.finding import (
    Picture,
    Unreadable,
    UnreadablePicture,
    find_all,
    picture_read,
    seen_size,
)
from jobs.settings.kinds import Resolution
from multitrain.datasets.decoded.decoding import upright
from multitrain.datasets.looking.contact_sheet import MOST_PIXELS
from multitrain.datasets.looking.likeness import ALIKE_BITS, near_duplicates, perceptual_hash
from multitrain.datasets.parallel import in_order

LEVELS = 256
BARS = 16  # of the histogram of brightness
MINIATURE = (64, 64)  # pixels, to tell whether a picture is grey
GREY_LEVELS = 3.0  # that the channels of a grey picture differ at most, on the average

T = TypeVar("T")
Shown = Callable[[Iterable[T], int], Iterator[T]]  # from things and their number; shows progress


Shares = NDArray[np.float64]  # (4, 256): of levels of red, green, blue, brightness; rows sum to 1


@dataclass(frozen=True)
class Look:
    """What one picture is like."""

    path: Path
    size: Resolution
    format: str  # in Pillow's words
    file_bytes: int
    is_grey: bool
    has_alpha: bool
    is_animated: bool
    likeness: int


Seen = tuple[Look, Shares] | Unreadable


@dataclass(frozen=True)
class Inspection:
    """All pictures of some folders. Every picture counts the same, however large it is."""

    paths: tuple[Path, ...]
    sizes: Counter[Resolution]
    formats: Counter[str]
    file_bytes: int
    mean: tuple[float, ...]  # of red, green, blue, in 0..255
    deviation: tuple[float, ...]
    brightness: tuple[float, ...]  # shares of the pixels, from dark to bright, BARS of them
    greys: int
    with_alpha: int
    animated: tuple[Path, ...]  # of which only the first picture is used
    odd: tuple[Picture, ...]  # of another size than most
    repeats: tuple[tuple[Path, Path], ...]  # a picture, and the earlier one that it looks like
    unreadable: tuple[Unreadable, ...]
    foreign: tuple[Path, ...]  # hidden, or kept by file managers: passed over

    @property
    def size(self) -> Resolution | None:
        """The size of most pictures; None where there are none."""
        return self.sizes.most_common(1)[0][0] if self.sizes else None


def inspect(folders: Sequence[Path], shown: Shown[Seen]) -> Inspection:
    """Look at all pictures below `folders`, decoding them in threads."""
    paths, unreadable, foreign = find_all(folders)
    looks: list[Look] = []
    totals = np.zeros((4, LEVELS))
    with warnings.catch_warnings(action="ignore"):  # Pillow's, about oddities it copes with
        for each in shown(in_order(_look, paths), len(paths)):
            if isinstance(each, Unreadable):
                unreadable.append(each)
                continue
            look, shares = each
            totals += shares
            looks.append(look)
    return _together(looks, totals, unreadable, foreign)


def _look(path: Path) -> Seen:
    try:
        with picture_read(path) as image:
            size = seen_size(image)
            if size.width * size.height > MOST_PIXELS:
                return Unreadable(path, f"is {size}, too large to look at")
            file_facts = image.format or "", path.stat().st_size
            has_alpha, animated = image.has_transparency_data, getattr(image, "is_animated", False)
            seen = upright(image, with_alpha=False)
    except UnreadablePicture as error:
        return Unreadable(path, str(error))
    grey = seen.convert("L")
    look = Look(
        path,
        size,
        *file_facts,
        is_grey=_is_grey(seen),
        has_alpha=has_alpha,
        is_animated=animated,
        likeness=perceptual_hash(grey),
    )
    counts = np.array(seen.histogram() + grey.histogram(), np.float64)
    return look, counts.reshape(4, LEVELS) / (seen.width * seen.height)


def _is_grey(picture: Image.Image) -> bool:
    small = np.asarray(picture.resize(MINIATURE, Image.Resampling.BOX), np.int16)
    apart = small.max(axis=2) - small.min(axis=2)
    return bool(apart.mean() <= GREY_LEVELS)


def _together(
    looks: Sequence[Look],
    totals: Shares,
    unreadable: Sequence[Unreadable],
    foreign: Sequence[Path],
) -> Inspection:
    sizes = Counter(each.size for each in looks)
    most = sizes.most_common(1)[0][0] if sizes else None
    repeated = near_duplicates([each.likeness for each in looks], ALIKE_BITS)
    mean, deviation = _moments(totals[:3] / max(1, len(looks)))
    bars = totals[3].reshape(BARS, -1).sum(axis=1) / max(1, len(looks))
    return Inspection(
        paths=tuple(each.path for each in looks),
        sizes=sizes,
        formats=Counter(each.format for each in looks),
        file_bytes=sum(each.file_bytes for each in looks),
        mean=mean,
        deviation=deviation,
        brightness=tuple(bars.tolist()),
        greys=sum(each.is_grey for each in looks),
        with_alpha=sum(each.has_alpha for each in looks),
        animated=tuple(each.path for each in looks if each.is_animated),
        odd=tuple(Picture(each.path, each.size) for each in looks if each.size != most),
        repeats=tuple(
            (each.path, looks[earlier].path)
            for each, earlier in zip(looks, repeated, strict=True)
            if earlier is not None
        ),
        unreadable=tuple(unreadable),
        foreign=tuple(foreign),
    )


def _moments(shares: NDArray[np.float64]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Means and deviations of levels, by the shares of each level: `(channels, 256)`."""
    levels = np.arange(LEVELS)
    mean = shares @ levels
    variance = np.maximum(shares @ levels**2 - mean**2, 0)
    return tuple(mean.tolist()), tuple(np.sqrt(variance).tolist())

"""Folders of pictures into one array, as a trainer wants them."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from jobs.errors import DatasetError
from jobs.pictures import (
    Unreadable,
    UnreadablePicture,
    describe_unreadable,
    explain,
    find_pictures,
    open_picture,
    orientation,
    seen_size,
)
from jobs.spec import Resolution

Uint8Array = NDArray[np.uint8]

MOST_THREADS = 8  # decoders run outside the interpreter's lock; the disk is busy with fewer

_TURNS = {  # EXIF 2.32, table 6
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Pictures:
    """A data set in memory.

    `images` is `(n, height, width, 3)` uint8 RGB, contiguous; `skipped` are the files left out.
    """

    images: Uint8Array
    skipped: tuple[Unreadable, ...]


@dataclass(frozen=True)
class Fingerprint:
    """What tells one data set in memory from another."""

    count: int
    width: int  # pixels
    height: int
    digest: str  # BLAKE2b of all pixels in their order, hexadecimal

    @classmethod
    def of(cls, images: Uint8Array) -> Self:
        """`images` are `(n, height, width, 3)` uint8, contiguous. Takes about a second per GB."""
        count, height, width, _ = images.shape
        return cls(count, width, height, hashlib.blake2b(images.data, digest_size=16).hexdigest())

    def __str__(self) -> str:
        return f"{self.count} of {Resolution(self.width, self.height)}"

    def difference(self, now: Fingerprint) -> str:
        """How the data set `now` differs from this one, which it once was; empty if it does not."""
        if self == now:
            return ""
        if str(self) == str(now):
            return f"{self} then and now, but not the same ones or not in the same order"
        return f"{self} then, {now} now"


def load_pictures(folders: Sequence[Path], width: int, height: int) -> Pictures:
    """All pictures below `folders` of `width` x `height` pixels, in the order of their listing.

    Takes about a byte per value. Unreadable files and those of another size are skipped;
    DatasetError where none is left.
    """
    paths, skipped = find_pictures(folders)
    # Memory is taken page by page as pictures arrive, so those skipped cost next to nothing.
    images = np.empty((len(paths), height, width, 3), np.uint8)
    with (
        warnings.catch_warnings(action="ignore"),  # of Pillow, about oddities it copes with
        ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1)) as pool,
    ):
        reasons = list(pool.map(partial(_load_into, images), range(len(paths)), paths))
    skipped += [Unreadable(p, why) for p, why in zip(paths, reasons, strict=True) if why]
    loaded = [index for index, why in enumerate(reasons) if not why]
    if not loaded:
        where = ", ".join(map(str, folders))
        told = describe_unreadable(skipped, folders[0]) if skipped else "there are no pictures"
        raise DatasetError(f"No picture of {width}x{height} in {where}: {told}")
    for place, index in enumerate(loaded):  # close the gaps in place
        if place != index:
            images[place] = images[index]
    return Pictures(images[: len(loaded)], tuple(skipped))


def _load_into(images: Uint8Array, index: int, path: Path) -> str | None:
    """Decode one picture into its place; the reason where it is to be skipped."""
    _, height, width, _ = images.shape
    try:
        with open_picture(path) as image:
            turn, size = _TURNS.get(orientation(image)), seen_size(image)
            if size != (width, height):
                return f"is {size}, not {Resolution(width, height)}"
            decoded = to_rgb(image)
        images[index] = np.asarray(decoded if turn is None else decoded.transpose(turn))
    except UnreadablePicture as error:
        return str(error)
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged files
        return explain(error)
    return None


def to_rgb(image: Image.Image) -> Image.Image:
    """Any picture as 8-bit RGB: transparent ones over black, more than 8 bits scaled down."""
    if image.mode.startswith(("I", "F")):
        image = Image.fromarray(_scale_to_bytes(np.asarray(image)))
    if image.has_transparency_data:
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, image.convert("RGBA"))
    return image.convert("RGB")


def _scale_to_bytes(values: NDArray[np.generic]) -> Uint8Array:
    """Grey values of more than 8 bits, `(height, width)`, as uint8.

    Whole numbers are taken as 16-bit. Fractions have no agreed range: 0 to 1, 255 or 65535, the
    least of these that holds them all. Values beyond are scaled by the largest.
    """
    exact = np.nan_to_num(values.astype(np.float64), posinf=0, neginf=0)
    tops = (1.0, 255.0, 65535.0) if values.dtype.kind == "f" else (65535.0,)
    largest = float(exact.max(initial=0))
    top = next((top for top in tops if largest <= top), largest)
    return np.rint(exact.clip(0) * (255 / top)).astype(np.uint8)

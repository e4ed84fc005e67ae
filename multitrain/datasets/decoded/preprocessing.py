"""The fixed steps of preprocessing, done to one picture: scaling, and cuts around the centre."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext

from PIL import Image

from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import CENTER_CROP, COVER, HALVES, Step

LARGE_PIXELS = 2**26  # a few hundred MB

Box = tuple[float, float, float, float]  # left, top, right, bottom

_one_large_picture = threading.Lock()


def alone_if_large(size: Resolution) -> AbstractContextManager[object]:
    """A lock to hold while a picture of this `size` is decoded: large ones wait for each other."""
    return _one_large_picture if size.width * size.height > LARGE_PIXELS else nullcontext()


def preprocessed(image: Image.Image, steps: Iterable[Step]) -> Image.Image:
    """An RGB or RGBA `image` after these `steps`.

    Scaled by Lanczos windows; transparent colours do not bleed into others. Raises Unfit where it
    is too small for a cut.
    """
    for step in steps:
        size = step.of(Resolution(*image.size))
        if step.kind in HALVES.values():
            left = 0 if step.kind == HALVES["left"] else image.width - size.width
            image = image.crop((left, 0, left + size.width, size.height))
        elif step.kind == CENTER_CROP:
            left, top = (image.width - size.width) // 2, (image.height - size.height) // 2
            image = image.crop((left, top, left + size.width, top + size.height))
        elif image.size != size:
            box = _covering(image, size) if step.kind == COVER else None
            image = image.resize(size, Image.Resampling.LANCZOS, box)
    return image


def _covering(image: Image.Image, size: Resolution) -> Box:
    """The middle of `image` that has the proportions of `size`, and is as large as can be."""
    scale = min(image.width / size.width, image.height / size.height)
    width, height = size.width * scale, size.height * scale
    left, top = max(0.0, (image.width - width) / 2), max(0.0, (image.height - height) / 2)
    return left, top, min(left + width, image.width), min(top + height, image.height)

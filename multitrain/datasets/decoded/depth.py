"""Pictures with more than 8 bits per value, read whole and rounded once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from multitrain.datasets.decoded.profiles import KEY as PROFILE

Uint8Array = NDArray[np.uint8]
Uint16Array = NDArray[np.uint16]
Floats = NDArray[np.float64]

Curve = Callable[[Floats], Floats]  # values in 0..1 to sRGB values in 0..1

CLEAR = "transparency"  # what Pillow calls the value that is transparent
TOP_16 = 65535
RANGES = (1.0, 255.0, float(TOP_16))  # white in pictures of fractions: there is no standard
OVERSHOOT = 2.0  # times its range: what sharpening and highlights may add
WITHIN = 0.999  # the share of values that decides the range; a few may be anything


def in_bytes(image: Image.Image, curve: Curve | None = None) -> Image.Image:
    """The picture with at most 8 bits per value, put through the `curve` at full depth.

    Loads the picture. Alpha stays in proportion; the profile is kept.
    """
    clear = _clear_of(image)
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image)
        seen = Image.fromarray(_grey(values, curve))
        if clear:
            _make_clear(seen, values[..., None] == clear.exact)
    elif (deep := _deep_colours(image)) is not None:
        seen = Image.fromarray(_look_up(deep, curve))
        if clear:
            _make_clear(seen, deep == clear.exact)
    elif clear:
        _make_clear(image, np.atleast_3d(np.asarray(image)) == clear.shown)
        seen = image if curve is None else _shallow(image, curve)
    else:
        return image if curve is None else _shallow(image, curve)
    seen.info = {key: value for key, value in image.info.items() if key == PROFILE}
    return seen


class _Clear(NamedTuple):
    """The grey, or the colour, that is transparent in a PNG."""

    exact: NDArray[np.int64]  # as the file has it
    shown: NDArray[np.int64]  # as Pillow has it in 8 bits


def _clear_of(image: Any) -> _Clear | None:
    """The transparent value of a picture that is not loaded yet; None without one.

    None also with a palette. Pillow would compare the value with pixels that it has cut to 8 bits,
    and so make wrong ones transparent.
    """
    value = image.info.get(CLEAR)
    if value is None or image.format != "PNG" or image.mode not in ("L", "I;16", "RGB"):
        return None
    raw = _raw_mode(image)
    bits = 16 if ";16" in raw else int(raw.partition(";")[2] or 8)
    exact = np.atleast_1d(np.asarray(value, np.int64)) & (2**bits - 1)  # PNG 3rd edition, 11.3.1.1
    return _Clear(exact, exact >> 8 if bits == 16 else exact * (255 // (2**bits - 1)))


def _make_clear(image: Image.Image, alike: NDArray[np.bool_]) -> None:
    """Give a grey or RGB `image` alpha; `alike` `(height, width, values)` says what is clear."""
    opaque = ~alike.all(axis=2)
    image.info.pop(CLEAR, None)
    image.putalpha(Image.fromarray(opaque.astype(np.uint8) * 255))


def _levels(values: Floats, curve: Curve | None) -> Uint8Array:
    """Levels 0..255 of `values` in 0..1, put through the `curve`."""
    lit = values if curve is None else curve(values)
    levels: Floats = np.rint(lit.clip(0, 1) * 255)
    return levels.astype(np.uint8)


def _shallow(image: Image.Image, curve: Curve) -> Image.Image:
    """A picture of 8 bits or fewer put through the `curve`, as RGB or RGBA."""
    image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    table = _levels(np.arange(256) / 255, curve).tolist() * 3
    return image.point(table + list(range(256)) * (image.mode == "RGBA"))


def _look_up(values: Uint16Array, curve: Curve | None) -> Uint8Array:
    """8-bit levels of 16-bit colours, `(height, width, 3 or 4)`; the fourth is alpha."""
    every = np.arange(TOP_16 + 1) / TOP_16
    seen: Uint8Array = _levels(every, curve)[values]
    if curve is not None and values.shape[2] == 4:
        seen[..., 3] = _levels(every, None)[values[..., 3]]
    return seen


def _grey(values: NDArray[Any], curve: Curve | None) -> Uint8Array:
    """8-bit levels of deeper grey, `(height, width)`; whole numbers count as 16-bit."""
    if values.dtype == np.uint16:
        seen: Uint8Array = _levels(np.arange(TOP_16 + 1) / TOP_16, curve)[values]
        return seen
    exact = np.nan_to_num(values.astype(np.float64), posinf=0, neginf=0).clip(0)
    top = _top_of_fractions(exact) if values.dtype.kind == "f" else max(TOP_16, exact.max())
    return _levels(exact / top, curve)


def _top_of_fractions(values: Floats) -> float:
    """What stands for white: 1, 255 or 65535, the least of these that can hold nearly all values.

    The largest value where none can.
    """
    if not values.size:
        return 1.0
    high = float(np.quantile(values, WITHIN, method="higher"))
    return next((top for top in RANGES if high <= OVERSHOOT * top), float(values.max()))


def deep_picture(image: Any) -> Uint16Array | None:
    """The 16-bit values of a picture, `(height, width, 3 or 4)`, as the file has them.

    None where it has fewer bits, or a value that stands for transparent.
    """
    if CLEAR in image.info:
        return None
    if image.mode.startswith("I;16"):
        return np.repeat(np.asarray(image).astype(np.uint16)[..., None], 3, axis=-1)
    return _deep_colours(image)


def _deep_colours(image: Any) -> Uint16Array | None:
    """The 16-bit values of an RGB or RGBA picture, of which Pillow keeps only the high bytes.

    None for any other picture. Pillow loads it, too, since it detects damage and knows of turns and
    alpha; values whose high bytes are not Pillow's are not used.
    """
    if not _is_deep(image) or image.fp is None:
        return None
    place = image.fp.tell()
    image.fp.seek(0)
    content = np.frombuffer(image.fp.read(), np.uint8)
    image.fp.seek(place)
    image.load()
    high = np.asarray(image.convert("RGBA" if image.mode == "LA" else image.mode))
    try:
        stored = cv2.imdecode(content, cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if stored is None or stored.dtype != np.uint16 or stored.ndim != 3:
        return None
    deep: Uint16Array = stored[..., [2, 1, 0, 3][: high.shape[2]]]  # OpenCV has BGR
    return deep if deep.shape == high.shape and np.array_equal(deep >> 8, high) else None


def _is_deep(image: Any) -> bool:
    """Whether it is a PNG or TIFF file, not loaded yet, whose values Pillow cuts."""
    if image.format not in ("PNG", "TIFF") or image.mode not in ("RGB", "RGBA", "LA"):
        return False
    return ";16" in _raw_mode(image)


def _raw_mode(image: Any) -> str:
    """How the file has its values, in Pillow's words; empty where it is loaded already."""
    first = image.tile[0].args if image.tile else ""
    return str(first if isinstance(first, str) else first[0])

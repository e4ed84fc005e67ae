"""Pictures with more than 8 bits per value, read whole and rounded once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from multitrain.datasets.profiles import KEY as PROFILE

Uint8Array = NDArray[np.uint8]
Uint16Array = NDArray[np.uint16]
Floats = NDArray[np.float64]

Curve = Callable[[Floats], Floats]  # values in 0..1 to such of sRGB

TOP_16 = 65535
RANGES = (1.0, 255.0, float(TOP_16))  # of fractions: there is no agreed one
OVERSHOOT = 2.0  # times its range: what sharpening and highlights may add
WITHIN = 0.999  # the share of values that tells the range; a few may be anything


def in_bytes(image: Image.Image, curve: Curve | None = None) -> Image.Image:
    """With no more than 8 bits per value, each colour put through the `curve` at full depth.

    Loads it. Alpha stays in proportion; the profile is kept.
    """
    if image.mode.startswith(("I", "F")):
        seen = Image.fromarray(_grey(np.asarray(image), curve))
    elif (deep := _deep_colours(image)) is not None:
        seen = Image.fromarray(_look_up(deep, curve))
    else:
        return image if curve is None else _shallow(image, curve)
    seen.info = {key: value for key, value in image.info.items() if key == PROFILE}
    return seen


def _levels(values: Floats, curve: Curve | None) -> Uint8Array:
    """Of values, 0..1."""
    lit = values if curve is None else curve(values)
    levels: Floats = np.rint(lit.clip(0, 1) * 255)
    return levels.astype(np.uint8)


def _shallow(image: Image.Image, curve: Curve) -> Image.Image:
    """Of 8 bits or fewer, as RGB or RGBA."""
    image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    table = _levels(np.arange(256) / 255, curve).tolist() * 3
    return image.point(table + list(range(256)) * (image.mode == "RGBA"))


def _look_up(values: Uint16Array, curve: Curve | None) -> Uint8Array:
    """Colours, `(height, width, 3 or 4)`; the fourth is alpha."""
    every = np.arange(TOP_16 + 1) / TOP_16
    seen: Uint8Array = _levels(every, curve)[values]
    if curve is not None and values.shape[2] == 4:
        seen[..., 3] = _levels(every, None)[values[..., 3]]
    return seen


def _grey(values: NDArray[Any], curve: Curve | None) -> Uint8Array:
    """Of more than 8 bits, `(height, width)`: whole numbers are taken as 16-bit."""
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


def _deep_colours(image: Any) -> Uint16Array | None:
    """RGB or RGBA of 16 bits, of which Pillow keeps but the high bytes; None if it is none.

    Pillow loads it too, since it is the one to tell of damage, of turns and of what alpha means:
    other values than its own are not believed.
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
    first = image.tile[0].args if image.tile else ""
    raw = first if isinstance(first, str) else first[0]
    return ";16" in raw and "transparency" not in image.info

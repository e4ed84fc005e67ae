"""Colours of other spaces than sRGB, by the ICC profiles that files bring."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

KEY = "icc_profile"  # of the profile in the `info` of Pillow's images
LEVELS = 17  # of each channel, to see what a profile does: as many as colour tables often have

_CHANNELS = {"L": 1, "RGB": 3, "CMYK": 4}
_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION


def as_srgb(image: Image.Image) -> Image.Image:
    """A picture of at most 8 bits per value, in sRGB where it has a profile that differs from it.

    Relative colorimetric, with black as black. Alpha stays; the result has no profile. A damaged
    profile, or one that is not meant for such a picture, is as good as none.
    """
    profile = image.info.get(KEY)
    if not profile:
        return image
    image.load()
    alpha = image.convert("RGBA").getchannel("A") if image.has_transparency_data else None
    for mode in _modes(image):
        if transform := _to_srgb(bytes(profile), mode):
            image = transform.apply(image.convert(mode))
            if alpha:
                image.putalpha(alpha)
            break
    image.info.pop(KEY, None)
    return image


def _modes(image: Image.Image) -> tuple[str, ...]:
    """The modes that a profile of this picture may be meant for; at most one fits the profile."""
    if image.mode == "CMYK":
        return ("CMYK",)
    return ("RGB", "L") if image.mode in ("1", "L", "LA", "La") else ("RGB",)


@lru_cache(maxsize=32)
def _to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The transform to sRGB; None where it would change nothing, or does not fit `mode`."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        relative = ImageCms.Intent.RELATIVE_COLORIMETRIC
        srgb = ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(source, srgb, mode, "RGB", relative, _FLAGS)
        before = _samples(mode)
        after = transform.apply(before)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
    if mode == "CMYK":
        return transform
    change = np.asarray(after, np.int16) - np.asarray(before.convert("RGB"), np.int16)
    return transform if np.abs(change).max() > 1 else None  # 1: rounded twice


def _samples(mode: str) -> Image.Image:
    """A picture with all combinations of `LEVELS` levels per channel."""
    levels = np.rint(np.linspace(0, 255, LEVELS)).astype(np.uint8)
    grid = np.stack(np.meshgrid(*[levels] * _CHANNELS[mode], indexing="ij"), axis=-1)
    return Image.frombytes(mode, (grid.size // _CHANNELS[mode], 1), grid.tobytes())

"""Pictures smoothed and made flat, as parts of losses and of networks.

Pictures are `(n, height, width, channels)` float32, in networks from -1 to 1.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from jobs.settings.translation import Filter, Flattening
from multitrain.networks.perception import as_rgb
from multitrain.networks.superpixels import flat_areas


def smoothed(by: Filter, pictures: Any, guide: Any = None) -> Any:
    """What the filter makes of them; its edges are those of the `guide`, by default their own."""
    if by.name == "none":
        return pictures
    guide = pictures if guide is None else guide
    return guided(guide, pictures, by["radius"], by["eps"])


def guided(guide: Any, pictures: Any, radius: int, eps: float) -> Any:
    """A guided filter, each channel by the same one of the guide.

    He, Sun and Tang 2010, "Guided image filtering", equations 5, 6 and 8: in each window, the
    straight line from the guide to the picture that fits best, with slopes that `eps` keeps small.
    Windows end at the borders, and count what lies within.
    """
    products = [guide, pictures, guide * pictures, guide * guide]
    means = means_around(ops.concatenate(products, axis=-1), radius)
    of_guide, of_pictures, of_both, of_squares = ops.split(means, len(products), axis=-1)
    slopes = (of_both - of_guide * of_pictures) / (of_squares - of_guide * of_guide + eps)
    lines = ops.concatenate([slopes, of_pictures - slopes * of_guide], axis=-1)
    slopes, offsets = ops.split(means_around(lines, radius), 2, axis=-1)
    return slopes * guide + offsets


def means_around(pictures: Any, radius: int) -> Any:
    """At each pixel, the mean of those that are at most `radius` rows and columns away."""
    side = 2 * radius + 1
    for window in ((side, 1), (1, side)):
        # What is padded does not count.
        pictures = ops.average_pool(pictures, window, strides=1, padding="same")
    return pictures


def flattened(by: Flattening, pictures: Any) -> Any:
    """Pictures of few flat areas that look like these from afar."""
    if by.name == "superpixels":
        how = by["areas"], by["compactness"], by["rounds"]
        return flat_areas(pictures, as_rgb(pictures), *how)
    calm = guided(pictures, pictures, by["radius"], by["eps"])
    steps = (by["levels"] - 1) / 2.0
    return ops.clip(ops.round((calm + 1.0) * steps) / steps - 1.0, -1.0, 1.0)

"""Colour models: how many values a pixel has in a network, and in its pictures and frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

ColourModel = Literal["rgb", "hsv", "hsl", "lab", "ycbcr", "grey", "rgba", "packed24"]
# What a network is given and makes where these need not be the same: one model, or several at once.
ColourSpace = Literal["rgb", "ycbcr", "hsv", "lab", "all"]


RGB, RGBA = 3, 4  # values of a pixel in pictures and frames, 8 bits each


class Channels(NamedTuple):
    """Values per pixel. Hue takes two in a network: its sine and its cosine."""

    network: int  # in [-1, 1]
    picture: int  # RGB, or RGBA


CHANNELS: dict[ColourModel, Channels] = {
    "rgb": Channels(3, RGB),
    "hsv": Channels(4, RGB),
    "hsl": Channels(4, RGB),
    "lab": Channels(3, RGB),
    "ycbcr": Channels(3, RGB),
    "grey": Channels(1, RGB),
    "rgba": Channels(4, RGBA),
    "packed24": Channels(1, RGB),
}

# The colour models of each space, whose values stand one behind the other.
MODELS_OF: Mapping[ColourSpace, tuple[ColourModel, ...]] = {
    "rgb": ("rgb",),
    "ycbcr": ("ycbcr",),
    "hsv": ("hsv",),
    "lab": ("lab",),
    "all": ("rgb", "hsv", "lab"),
}


def channels_of(space: ColourSpace) -> int:
    """Values of a pixel in a network."""
    return sum(CHANNELS[model].network for model in MODELS_OF[space])

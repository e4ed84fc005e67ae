"""Colour models: how many values a pixel has in a network, and in its pictures and frames."""

from __future__ import annotations

from typing import Literal, NamedTuple

ColourModel = Literal["rgb", "hsv", "hsl", "lab", "grey", "rgba", "packed24"]


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
    "grey": Channels(1, RGB),
    "rgba": Channels(4, RGBA),
    "packed24": Channels(1, RGB),
}

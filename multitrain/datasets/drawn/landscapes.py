"""Landscapes drawn by code: a sun or a moon over hills behind hills, all of it again in a lake.

Every pixel comes out the same on any machine: only `+ - * /` and square roots are used, which IEEE
754 rounds in one way, and Python's own random numbers, which never change for a seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float64]  # (height, width) or what broadcasts to it; y grows downwards
Colour = NDArray[np.float64]  # (3,) or (height, width, 3), in 0..1 as in a file

FINER = 3  # drawn that many times larger, then averaged: smooth edges
HILL_LAYERS = 4
OCTAVES = 4  # of the hills' outlines
RIPPLES = 14  # rows of waves on the lake


@dataclass(frozen=True)
class Palette:
    """The colours of a time of day."""

    zenith: Colour
    sky: Colour
    horizon: Colour
    light: Colour  # sun or moon
    near: Colour  # the nearest hill

    def towards(self, other: Palette, share: float) -> Palette:
        """This palette mixed with `share` of another."""
        return Palette(
            *(
                mix(getattr(self, name), getattr(other, name), share)
                for name in self.__dataclass_fields__
            )
        )


def _palette(*colours: str) -> Palette:
    channels = [[int(each[i : i + 2], 16) / 255 for i in (0, 2, 4)] for each in colours]
    return Palette(*(np.array(each) for each in channels))


# Neighbours mix well; the last goes with the first.
PALETTES = (
    _palette("16234f", "8a4f8f", "ff9a5c", "fff0c2", "1a1030"),  # afterglow
    _palette("2b1b57", "c8457a", "ffb85e", "fff3cf", "2a0f33"),  # magenta dusk
    _palette("3d2f6b", "e0708a", "ffd9a0", "fffbe6", "2f1a3d"),  # rose dawn
    _palette("2c5a8c", "8fb8cf", "ffe3b0", "fffdf0", "16323f"),  # golden morning
    _palette("12405e", "3f9aa6", "c9f0d0", "f6fff0", "08283a"),  # teal mist
    _palette("060b26", "1d3a78", "6fa0d8", "eef6ff", "040818"),  # moonlight
)


def draw_landscape(seed: int, width: int, height: int) -> NDArray[np.uint8]:
    """The landscape of `seed`, `(height, width, 3)` uint8."""
    random = Random(seed)
    palette = _choose_palette(random)
    rows, columns = height * FINER, width * FINER
    lake = round(rows * (0.60 + 0.08 * random.random()))
    above = _sky_and_hills(random, palette, lake, columns, rows)
    below = _reflection(random, palette, above, rows - lake)
    return _averaged(np.concatenate([above, below]))


def mix(one: Colour, other: Colour, share: Plane | float) -> Colour:
    """`one` with `share` of `other`; a plane of shares gives a picture."""
    weight = np.asarray(share)[..., None] if np.ndim(share) else np.asarray(share)
    mixed: Colour = one + (other - one) * weight
    return mixed


def _choose_palette(random: Random) -> Palette:
    place = random.random() * len(PALETTES)
    first, share = int(place), place - int(place)
    return PALETTES[first].towards(PALETTES[(first + 1) % len(PALETTES)], share)


def _sky_and_hills(random: Random, palette: Palette, rows: int, columns: int, unit: int) -> Colour:
    """What stands above the lake, `(rows, columns, 3)`; `unit` is the picture's height."""
    y = np.arange(rows)[:, None] / unit
    x = np.arange(columns)[None, :] / unit
    shore = rows / unit
    picture = _sky(palette, y / shore, columns)
    picture = _clouds(random, palette, picture, y / shore, x)
    away_x = x - x[0, -1] * (0.18 + 0.64 * random.random())
    away_y = y - shore * (0.20 + 0.36 * random.random())
    distance = np.sqrt(away_x * away_x + away_y * away_y)
    glow = 1 / (1 + 22 * distance * distance)
    picture = mix(picture, palette.light, 0.62 * glow * glow)
    radius = 0.055 + 0.05 * random.random()
    picture = mix(picture, palette.light, _edge(radius - distance, unit))
    for layer in range(HILL_LAYERS):
        nearness = (layer + 1) / HILL_LAYERS
        rise = (0.22 + 0.16 * random.random()) * (1.1 - 0.6 * nearness)
        ridge = shore * (0.66 + 0.28 * nearness) - rise * _outline(random, x, 1.7 + 1.8 * nearness)
        depth = np.clip((y - ridge) / (shore * 0.5), 0, 1)
        hill = _hill(palette, nearness, depth, glow)
        picture = mix(picture, hill, _edge(y - ridge, unit))
    return picture


def _hill(palette: Palette, nearness: float, depth: Plane, glow: Plane) -> Colour:
    """The colours of a layer of hills: the farther, the more they fade into the sky.

    `depth` is 0 at the ridge and 1 at the foot, where the mist gathers; `glow` is the sun's.
    """
    haze = mix(palette.horizon, palette.sky, 0.45)
    hill = mix(haze, palette.near, 0.16 + 0.84 * nearness * nearness)
    light = (0.40 - 0.28 * nearness) * depth + 0.22 * glow * (1 - nearness)
    return mix(hill, palette.horizon, light)


def _sky(palette: Palette, depth: Plane, columns: int) -> Colour:
    """A smooth gradient from the zenith (depth 0) to the shore (depth 1)."""
    upper = mix(palette.zenith, palette.sky, _smooth(np.clip(depth / 0.5, 0, 1)))
    sky = mix(upper, palette.horizon, _smooth(np.clip((depth - 0.25) / 0.6, 0, 1)))
    return np.repeat(sky, columns, axis=1)


def _clouds(random: Random, palette: Palette, picture: Colour, depth: Plane, x: Plane) -> Colour:
    """A few long, thin bands that catch the light from below."""
    for _ in range(3):
        middle = 0.10 + 0.42 * random.random()
        thickness = 0.02 + 0.035 * random.random()
        wave = _outline(random, x, 1.2) - 0.5
        cover = np.clip(_outline(random, x, 1.8) * 1.8 - 0.75, 0, 1)
        away = (depth - middle - 0.10 * wave) / thickness
        band = cover / (1 + away * away * away * away)
        lit = mix(palette.horizon, palette.light, 0.35)
        picture = mix(picture, lit, 0.42 * band)
    return picture


def _outline(random: Random, x: Plane, frequency: float) -> Plane:
    """Smooth noise along `x`, about 0..1: octaves of random heights joined by smoothsteps."""
    total, weight, outline = 0.0, 1.0, np.zeros_like(x)
    for _ in range(OCTAVES):
        heights = np.array([random.random() for _ in range(int(x.max() * frequency) + 3)])
        place = x * frequency + random.random()
        index = place.astype(np.intp)
        step = _smooth(place - index)
        outline = outline + weight * (heights[index] + (heights[index + 1] - heights[index]) * step)
        total, weight, frequency = total + weight, weight * 0.42, frequency * 2.1
    return outline / total


def _reflection(random: Random, palette: Palette, above: Colour, rows: int) -> Colour:
    """The lake, `(rows, columns, 3)`: what is above it upside down, darker, stirred by waves."""
    height, columns, _ = above.shape
    depth = np.arange(rows)[:, None] / rows  # 0 at the far shore, 1 at the viewer's feet
    x = np.arange(columns)[None, :] / columns
    waves = np.zeros((rows, columns))
    for ripple in range(RIPPLES):
        share = (ripple + random.random()) / RIPPLES
        middle = share * share  # closer together towards the shore
        width = 0.008 + 0.05 * middle
        away = (depth - middle - 0.02 * _outline(random, x * 3, 2.0)) / width
        waves += (_outline(random, x * 3, 2.5) - 0.35) / (1 + away * away)
    source = np.arange(rows)[:, None] * 1.5 + waves * (0.02 + 0.05 * depth) * height
    index = np.clip(height - 1 - source, 0, height - 1).astype(np.intp)
    mirrored = above[index, np.arange(columns)[None, :]]
    water = mix(mirrored, palette.zenith, 0.16 + 0.34 * depth)
    shine = np.clip(waves, 0, 1) * 0.10
    shore = 1 / (1 + depth * depth * 900)  # a thin bright line where the lake begins
    return mix(mix(water, palette.horizon, shine), palette.horizon, 0.30 * shore)


def _smooth(share: Plane) -> Plane:
    """The smoothstep polynomial: 0 to 1 with level ends."""
    return share * share * (3 - 2 * share)


def _edge(inside: Plane, unit: int) -> Plane:
    """1 where `inside` is positive, 0 elsewhere, with a soft step of two fine pixels."""
    return np.clip(inside * unit / 2 + 0.5, 0, 1)


def _averaged(picture: Colour) -> NDArray[np.uint8]:
    """`FINER` x `FINER` pixels into one; in whole numbers, whose sums know no order."""
    levels = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint32)
    height, width, _ = levels.shape
    blocks = levels.reshape(height // FINER, FINER, width // FINER, FINER, 3).sum(axis=(1, 3))
    area = FINER * FINER
    averaged: NDArray[np.uint8] = ((2 * blocks + area) // (2 * area)).astype(np.uint8)
    return averaged

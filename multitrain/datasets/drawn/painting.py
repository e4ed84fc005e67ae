"""What procedural pictures are painted with: planes, noise, ramps of colours, light.

A plane is `(height, width)`, a colour `(height, width, 3)` or `(3,)`, in 0..1 as in a file. Lengths
are in heights of the picture, so that it looks alike in every size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.floating[Any]]
Colour = NDArray[np.floating[Any]]
Pixels = NDArray[np.uint8]  # (height, width, 3)

FINER = 2  # drawn that many times larger, then averaged: smooth edges
TEXTURE = 256  # pixels of a side of periodic noise
RAMP = 1024  # colours of a ramp

# Björn Ottosson, "A perceptual color space for image processing" (2020): linear RGB to Oklab.
_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


@dataclass(frozen=True)
class Canvas:
    """Where a picture is drawn: `x` grows to the right from 0, `y` downwards from 0 to 1."""

    x: Plane
    y: Plane

    @classmethod
    def of(cls, width: int, height: int) -> Canvas:
        """A canvas for a picture of `width` x `height` pixels."""
        rows = (np.arange(height * FINER, dtype=np.float32) + 0.5) / (height * FINER)
        columns = (np.arange(width * FINER, dtype=np.float32) + 0.5) / (height * FINER)
        x, y = np.meshgrid(columns, rows)
        return cls(x, y)

    @property
    def aspect(self) -> float:
        """The width of the picture."""
        return float(self.x.shape[1] / self.x.shape[0])

    @property
    def pixel(self) -> float:
        """The side of one of its pixels."""
        return float(1 / self.x.shape[0])


def ramp(*colours: str, turn: float = 0.0) -> Colour:
    """`(RAMP, 3)` colours from the first to the last, evenly spaced, as the eye sees it.

    `colours` are hexadecimal. Their hues are turned by `turn` (of a full circle).
    """
    stops = np.array([[int(each[i : i + 2], 16) / 255 for i in (0, 2, 4)] for each in colours])
    linear = np.where(stops <= 0.04045, stops / 12.92, ((stops + 0.055) / 1.055) ** 2.4)
    lab = np.cbrt(linear @ _TO_LMS.T) @ _TO_LAB.T
    sine, cosine = np.sin(2 * np.pi * turn), np.cos(2 * np.pi * turn)
    lab[:, 1:] = lab[:, 1:] @ np.array([[cosine, sine], [-sine, cosine]])
    places = np.linspace(0, len(colours) - 1, RAMP)
    mixed = np.stack([np.interp(places, range(len(colours)), each) for each in lab.T], axis=1)
    linear = (mixed @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_LMS).T
    linear = np.clip(linear, 0, 1)
    seen = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(seen, np.float32)


def coloured(colours: Colour, share: Plane) -> Colour:
    """Each share of 0..1 as a colour of the ramp; those beyond have its ends."""
    index = np.clip(share * (RAMP - 1), 0, RAMP - 1).astype(np.intp)
    return colours[index]


def mix(one: Colour, other: Colour, share: Plane | float) -> Colour:
    """`one` with `share` of `other`; a plane of shares gives a picture."""
    weight = share[..., None] if isinstance(share, np.ndarray) else share
    mixed: Colour = one + (other - one) * weight
    return mixed


def smoothstep(low: float, high: float, values: Plane) -> Plane:
    """0 below `low`, 1 above `high`, a curve with level ends between."""
    share = np.clip((values - low) / (high - low), 0, 1)
    curve: Plane = share * share * (3 - 2 * share)
    return curve


def noise(random: np.random.Generator, slope: float) -> Plane:
    """Periodic noise, `(TEXTURE, TEXTURE)`, of mean 0 and deviation 1.

    Its amplitudes fall with the frequency to the power of `slope`: 1 is rough, 2 are clouds.
    """
    spectrum = np.fft.rfft2(random.standard_normal((TEXTURE, TEXTURE), np.float32))
    across = np.fft.rfftfreq(TEXTURE, 1 / TEXTURE)
    down = np.fft.fftfreq(TEXTURE, 1 / TEXTURE)
    frequency = np.hypot(down[:, None], across[None, :])
    frequency[0, 0] = np.inf
    texture = np.fft.irfft2(spectrum / frequency**slope)
    return np.asarray(texture / texture.std(), np.float32)


def sample(texture: Plane, x: Plane, y: Plane) -> Plane:
    """The periodic `texture` at these places; its side has length 1."""
    across, down = (np.mod(each, 1).astype(np.float32) * TEXTURE for each in (x, y))
    taken = cv2.remap(texture, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(taken, np.float32)


def blurred(plane: Plane, radius: float) -> Plane:
    """`plane` blurred by a Gaussian whose deviation is `radius` pixels."""
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), max(radius, 0.3)), np.float32)


def relief(height: Plane, canvas: Canvas, steepness: float) -> tuple[Plane, Plane]:
    """Light from the upper left on a surface: how bright it is (0..1), and its shine (0..1)."""
    down, across = np.gradient(height * steepness, canvas.pixel)
    length = np.sqrt(across * across + down * down + 1)
    towards = (0.45 * across + 0.55 * down + 0.70) / length  # the light, almost of length 1
    shine = np.clip(towards, 0, 1) ** 24
    return np.clip(towards, 0, 1), shine


def vignette(picture: Colour, canvas: Canvas, strength: float) -> Colour:
    """`picture`, darker towards the corners."""
    across, down = canvas.x / canvas.aspect - 0.5, canvas.y - 0.5
    shade = 1 - strength * smoothstep(0.1, 0.55, across * across + down * down)
    return picture * shade[..., None]


def averaged(picture: Colour) -> Pixels:
    """`FINER` x `FINER` pixels into one of 8 bits."""
    height, width, _ = picture.shape
    size = (width // FINER, height // FINER)
    small = cv2.resize(np.clip(picture, 0, 1), size, interpolation=cv2.INTER_AREA)
    return np.asarray(np.rint(small * 255), np.uint8)

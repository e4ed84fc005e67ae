"""What frames show of a stream: what was sent, what came, and a curve of both. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from jobs.families.autoencoder.plan import curve_height, pictures_shown
from jobs.settings.colours import RGB
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from multitrain.codec.receiving import Picture

LOUDER, GREY = 2.0, 127.5  # differences, as the films of other autoencoders show them

ROWS = 3  # of curves: PSNR, bytes of the frame, bytes of weights
DARK, LIGHT, SENT, CODED = (18, 18, 22), (245, 240, 230), (255, 150, 40), (40, 110, 120)
RANGE = (10.0, 40.0)  # dB, from the foot of a curve to its head
LEAST, MOST = 10.0, 100_000.0  # bytes, likewise, by their logarithm
TEXT_HEIGHT = 12  # pixels that a line of text needs
TEXT_WIDTH = 100

Curves = NDArray[np.float32]  # (ROWS, frames), the newest at the end; 0: none was there


@dataclass(frozen=True)
class Scene:
    """The pictures of a frame, side by side, of this `size`; the height of the curve below."""

    pictures: tuple[str, ...]
    size: Resolution
    curve: int

    @classmethod
    def of(cls, spec: JobSpec, size: Resolution) -> Self:
        return cls(pictures_shown(spec), size, curve_height(spec, size.height))

    @property
    def width(self) -> int:
        return len(self.pictures) * self.size.width

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of a frame."""
        return self.size.height + self.curve, self.width, RGB

    def curves(self) -> Curves:
        """Those of a stream in which nothing has come."""
        return np.zeros((ROWS, self.width), np.float32)

    def draw(self, sent: Picture, shown: Picture, curves: Curves) -> Picture:
        """A frame, `(height, width, 3)` uint8, of what was sent and is shown."""
        each = {"input": lambda: sent, "output": lambda: shown}
        each["difference"] = lambda: _difference(sent, shown)
        row = np.concatenate([each[name]() for name in self.pictures], axis=1)
        if not self.curve:
            return row
        return np.concatenate([row, _strip(curves, self.curve)])


def noted(curves: Curves, psnr: float, coded: int, weights: int) -> Curves:
    """The curves, one frame later; numbers are dB and bytes."""
    moved = np.roll(curves, -1, axis=1)
    moved[:, -1] = psnr, coded, weights
    return moved


def _difference(sent: Picture, shown: Picture) -> Picture:
    louder = GREY + LOUDER * (shown.astype(np.float32) - sent)
    difference: Picture = np.rint(np.clip(louder, 0, 255)).astype(np.uint8)
    return difference


def _strip(curves: Curves, height: int) -> Picture:
    """Bytes as bars, quality as a line over them, a bright bar where weights were sent."""
    width = curves.shape[1]
    image = Image.new("RGB", (width, height), DARK)
    draw = ImageDraw.Draw(image)
    points: list[tuple[int, float]] = []
    for x, (psnr, coded, weights) in enumerate(curves.T.tolist()):
        if not coded:
            continue
        top = height - 1 - _share_of_bytes(coded) * (height - 1)
        draw.line([(x, top), (x, height)], CODED)
        if weights:
            top = height - 1 - _share_of_bytes(weights) * (height - 1)
            draw.line([(x, top), (x, height)], SENT)
        low, high = RANGE
        share = min(1.0, max(0.0, (psnr - low) / (high - low)))
        points.append((x, (height - 1) * (1.0 - share)))
    if points:
        draw.line(points, LIGHT)
        if height >= 2 * TEXT_HEIGHT and width >= TEXT_WIDTH:
            psnr, coded, _ = curves[:, -1].tolist()
            draw.text((4, 1), f"{psnr:.1f} dB", LIGHT)
            draw.text((4, height - TEXT_HEIGHT - 1), f"{coded:,.0f} bytes", LIGHT)
    return np.asarray(image)


def _share_of_bytes(count: float) -> float:
    share = math.log(max(count, LEAST) / LEAST) / math.log(MOST / LEAST)
    return min(1.0, share)

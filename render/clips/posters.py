"""Pictures of a film, as JPEG: its poster (the last frame) and its contact sheet (many moments)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from jobs.workspace.files import atomic_write
from render.clips.labels import COLOUR, find_font
from render.files.digests import mark, sha256_of

QUALITY = 92  # of the JPEG, out of 100
COLUMNS, MOST = 4, 16  # moments of a contact sheet
CELL_WIDTHS = (160, 480)  # pixels: smaller frames are enlarged, larger ones shrunk
GAP = 6  # pixels around each moment
STRIP, LETTERS = 20, 13  # pixels: below each moment, for its time

Frame = NDArray[np.uint8]  # (height, width, 3 or 4)


@dataclass(frozen=True)
class ContactSheet:
    """Where everything stands on the contact sheet of a film of `width` x `height` pixels."""

    frames: int
    fps: int
    width: int
    height: int

    @property
    def moments(self) -> list[int]:
        """Numbers of frames, evenly from the first to the last."""
        count = min(MOST, self.frames)
        return [round(n * (self.frames - 1) / max(1, count - 1)) for n in range(count)]

    @property
    def cell(self) -> tuple[int, int]:
        """Width and height in pixels of a frame on the sheet."""
        narrowest, widest = CELL_WIDTHS
        width = min(widest, max(narrowest, self.width))
        return width, max(1, round(self.height * width / self.width))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels of the whole sheet."""
        columns = min(COLUMNS, len(self.moments))
        rows = -(-len(self.moments) // COLUMNS)
        width, height = self.cell
        return GAP + columns * (width + GAP), GAP + rows * (height + STRIP + GAP)

    def corner(self, place: int) -> tuple[int, int]:
        """The top left of the frame at `place`, from 0; row by row."""
        row, column = divmod(place, COLUMNS)
        width, height = self.cell
        return GAP + column * (width + GAP), GAP + row * (height + STRIP + GAP)

    def label(self, frame: int) -> str:
        """When a frame is shown: minutes, seconds and hundredths."""
        hundredths = frame * 100 // self.fps
        return f"{hundredths // 6000}:{hundredths // 100 % 60:02d}.{hundredths % 100:02d}"


def draw_poster(frame: Frame) -> Image.Image:
    """The picture of a frame; RGBA is shown over black."""
    image = Image.fromarray(frame)
    if image.mode != "RGBA":
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image).convert(
        "RGB"
    )


def draw_contact_sheet(sheet: ContactSheet, frame_at: Callable[[int], Frame]) -> Image.Image:
    """The picture of the sheet; `frame_at` gives frames by number and is called in rising order."""
    canvas = Image.new("RGB", sheet.size, (16, 16, 16))
    draw, font = ImageDraw.Draw(canvas), find_font(LETTERS)
    width, height = sheet.cell
    for place, number in enumerate(sheet.moments):
        x, y = sheet.corner(place)
        shown = draw_poster(frame_at(number)).resize((width, height), Image.Resampling.LANCZOS)
        canvas.paste(shown, (x, y))
        middle = x + width / 2, y + height + STRIP / 2
        draw.text(middle, sheet.label(number), fill=COLOUR, font=font, anchor="mm")
    return canvas


def save_pictures(images: Sequence[Image.Image], paths: Sequence[Path]) -> None:
    """Write each picture to its path as JPEG; each appears whole or not at all."""
    for image, path in zip(images, paths, strict=True):
        with atomic_write(path) as part:
            image.save(part, "JPEG", quality=QUALITY, optimize=True)
            mark(part, sha256_of(part))

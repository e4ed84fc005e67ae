"""The picture that films are laid over in a comparison: black, with the names of the jobs."""

from __future__ import annotations

import unicodedata
from contextlib import suppress

from PIL import Image, ImageDraw, ImageFont

from render.clips.comparison import Area, Comparison

SHARE = 0.7  # of a strip's height that the letters' size is
COLOUR = (235, 235, 235)
CUT = "..."  # every font has it
MISSING = "\uffff"  # no font has it, so it is drawn like any letter that is missing
FONTS = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "Arial Unicode.ttf",
    "LiberationSans-Regular.ttf",
)

Font = ImageFont.ImageFont | ImageFont.FreeTypeFont


def canvas_of(plan: Comparison) -> Image.Image:
    """The canvas of a comparison."""
    canvas = Image.new("RGB", (plan.width, plan.height))
    draw = ImageDraw.Draw(canvas)
    if areas := plan.label_areas():
        font = find_font(areas[0].height * SHARE)
        for take, area in zip(plan.takes, areas, strict=True):
            _write(draw, shortened(drawable(take.name, font), area.width, font), area, font)
    return canvas


def find_font(size: float) -> Font:
    """A font of this machine with many scripts, else Pillow's, which has little but English."""
    for file in FONTS:
        with suppress(OSError):  # it is not installed
            return ImageFont.truetype(file, size)
    return ImageFont.load_default(size)


def drawable(name: str, font: Font) -> str:
    """`name` in letters that `font` has; others lose their accents, or become `?`."""
    lacking = _picture(MISSING, font)

    def has(letter: str) -> bool:
        return _picture(letter, font) != lacking

    folded = (
        letter if has(letter) else unicodedata.normalize("NFKD", letter)[0]
        for letter in unicodedata.normalize("NFC", name)
    )
    return "".join(letter if has(letter) else "?" for letter in folded)


def _picture(letter: str, font: Font) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(letter)
    return mask.size, bytes(mask)


def shortened(name: str, width: int, font: Font) -> str:
    """`name`; without its middle where it is wider than `width` pixels: ends tell names apart."""
    if font.getlength(name) <= width:
        return name
    for kept in range(len(name) - 1, 0, -1):
        head = kept // 3
        text = f"{name[:head]}{CUT}{name[len(name) - (kept - head) :]}"
        if font.getlength(text) <= width:
            return text
    return ""


def _write(draw: ImageDraw.ImageDraw, text: str, area: Area, font: Font) -> None:
    middle = (area.x + area.width / 2, area.y + area.height / 2)
    draw.text(middle, text, fill=COLOUR, font=font, anchor="mm")

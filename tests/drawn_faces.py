"""Faces for tests: drawn simply, and so that a cascade for photos takes them for such."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFilter

SKIN, HAIR, DARK = (222, 184, 160), (60, 40, 30), (50, 35, 35)
PAPER = (150, 165, 175)


def face(side: int) -> Image.Image:
    """A head with hair from in front, in a square picture; its face is about half as wide."""
    picture = Image.new("RGB", (400, 400), PAPER)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((105, 45, 295, 330), fill=HAIR)
    draw.ellipse((120, 85, 280, 345), fill=SKIN)
    for eye in (165, 235):
        draw.ellipse((eye - 26, 172, eye + 26, 202), fill=(170, 130, 115))
        draw.ellipse((eye - 20, 180, eye + 20, 200), fill=(240, 235, 230))
        draw.ellipse((eye - 10, 180, eye + 10, 200), fill=DARK)
        draw.line((eye - 28, 165, eye, 158, eye + 28, 165), fill=HAIR, width=10)
    draw.polygon([(192, 195), (182, 245), (218, 245), (208, 195)], fill=(232, 198, 175))
    draw.ellipse((184, 238, 216, 252), fill=(180, 130, 115))
    draw.ellipse((163, 278, 237, 302), fill=(150, 70, 70))
    draw.line((165, 290, 235, 290), fill=DARK, width=4)
    return picture.filter(ImageFilter.GaussianBlur(4)).resize((side, side))


def scene(size: tuple[int, int], *faces: tuple[int, int, int]) -> Image.Image:
    """A picture with faces: left, top, side."""
    picture = Image.new("RGB", size, PAPER)
    for left, top, side in faces:
        picture.paste(face(side), (left, top))
    return picture

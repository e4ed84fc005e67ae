"""What the encoders that a sheet can name make: which sizes they take, how the files are called."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, Self

Encoder = Literal["x264", "nvenc", "prores-4444", "hap-alpha"]

MP4, MOV = ".mp4", ".mov"


class Video(NamedTuple):
    """The files of one encoder."""

    suffix: str
    multiple: int  # of pixels: both sides must be one
    has_alpha: bool  # otherwise RGBA frames are shown over black


VIDEOS: dict[Encoder, Video] = {
    "x264": Video(MP4, 1, has_alpha=False),
    "nvenc": Video(MP4, 1, has_alpha=False),
    "prores-4444": Video(MOV, 1, has_alpha=True),
    "hap-alpha": Video(MOV, 4, has_alpha=True),  # a texture of blocks of 4x4 pixels
}


def unfit_size(encoder: Encoder, width: int, height: int) -> str | None:
    """Why this encoder takes no videos of `width` x `height` pixels; None where it does."""
    multiple = VIDEOS[encoder].multiple
    if width % multiple == height % multiple == 0:
        return None
    return (
        f"{encoder} takes widths and heights that are multiples of {multiple}, and the video would "
        f"be {width}x{height}; give the pictures such a size, or take prores-4444"
    )


class OutputName(NamedTuple):
    """What the file name of a video in `renders/` tells; numbers count from 1."""

    job: str
    timecut: int | None = None  # None: the film
    box: int | None = None  # None: the whole frame
    suffix: str = MP4

    def __str__(self) -> str:
        cut = "" if self.timecut is None else f"_timecut{self.timecut:04d}"
        return f"{self.job}{cut}{of_box(self.box)}{self.suffix}"

    @classmethod
    def parse(cls, file: str) -> Self | None:
        """None where `file` is not the name of a video."""
        match = _OUTPUT.fullmatch(file)
        if not match:
            return None
        name = cls(match[1], _number(match[2]), _number(match[3]), match[4])
        return name if str(name) == file and 0 not in name else None


def of_box(number: int | None) -> str:
    """What the name of a box's file has for it; nothing for the whole frame."""
    return "" if number is None else f"_box{number:04d}"


def _number(digits: str | None) -> int | None:
    return int(digits) if digits else None


_OUTPUT = re.compile(r"(.+?)(?:_timecut(\d{4,}))?(?:_box(\d{4,}))?(\.mp4|\.mov)")

"""Decoded frames as pictures: upright, in the colours of a screen."""

from __future__ import annotations

from typing import Any

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import (
    ColorPrimaries,
    Colorspace,
    ColorTrc,
    Interpolation,
    VideoReformatter,
)
from numpy.typing import NDArray
from PIL import Image

from jobs.settings.colours import RGBA
from jobs.settings.kinds import Resolution
from jobs.videos.orientation import UPRIGHT, Orientation

HDR = (16, 18)  # SMPTE ST 2084 (PQ) and ARIB STD-B67 (HLG), as ITU-T H.273 counts transfers
UNSPECIFIED = 2  # matrix, in H.273
FULL_RANGE = 2  # FFmpeg's number of this colour range
HD_LINES = 720  # untagged video of so many lines or more is BT.709, as players assume
EXACT = (
    Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
    | Interpolation.BITEXACT
)
PALETTE = "pal8"  # FFmpeg's name of pixels that are indices into a palette with alpha

SHALLOW = 8  # bits

Picture = NDArray[Any]  # (height, width, 3 or 4), uint8, or uint16 where it is deep


class Screen:
    """Turns frames of one video into pictures; keeps its tables, for those of HDR take seconds.

    The colour matrix of an untagged video depends on its height, as in players. High dynamic range
    is mapped to the range of BT.709, as swscale does it.
    """

    def __init__(
        self,
        orientation: Orientation = UPRIGHT,
        size: Resolution | None = None,
        *,
        rough: bool = False,
        is_deep: bool = False,
    ) -> None:
        """`size` is that of the pictures; None: that of the frames, upright.

        `rough` scales quickly, by the mean of areas. Pictures are `is_deep` for frames that are.
        """
        self._is_deep = is_deep
        self._layouts = ("rgb48le", "rgba64le") if is_deep else ("rgb24", "rgba")
        self._orientation = orientation
        self._size = size and orientation.size(size)
        self._how = Interpolation.AREA if rough else EXACT | Interpolation.BICUBIC
        self._reformatter = VideoReformatter()

    def picture(self, frame: VideoFrame) -> Picture:
        """The picture of a frame: RGB, or RGBA where it has alpha."""
        if frame.colorspace == UNSPECIFIED and frame.height >= HD_LINES:
            frame.colorspace = Colorspace.ITU709
        is_hdr = frame.color_trc in HDR
        clear = has_alpha(frame.format.name)
        size = self._size or Resolution(frame.width, frame.height)
        converted = self._reformatter.reformat(
            frame,
            width=None if clear else size.width,
            height=None if clear else size.height,
            format=self._layouts[clear],
            interpolation=self._how,
            dst_color_trc=ColorTrc.BT709 if is_hdr else None,
            dst_color_primaries=ColorPrimaries.BT709 if is_hdr else None,
            threads=1,
        )
        shown: Picture = converted.to_ndarray()
        if self._is_deep and not frame.format.is_rgb and frame.color_range != FULL_RANGE:
            _make_whiter(shown)
        if clear and size != (frame.width, frame.height):
            shown = _scaled(shown, size)
        return self._orientation.upright(shown)


def has_alpha(pixels: str) -> bool:
    """Whether frames of this layout, by FFmpeg's name, may be transparent."""
    if pixels == PALETTE:
        return True
    try:
        return any(each.is_alpha for each in av.VideoFormat(pixels).components)
    except ValueError:  # a name that FFmpeg does not know
        return False


def has_depth(pixels: str) -> bool:
    """Whether frames of this layout, by FFmpeg's name, have more than 8 bits."""
    try:
        return any(each.bits > SHALLOW for each in av.VideoFormat(pixels).components)
    except ValueError:  # a name that FFmpeg does not know
        return False


def over_black(picture: Picture) -> Picture:
    """The picture over black, in RGB, as players show it that know no alpha."""
    if picture.shape[2] != RGBA:
        return picture
    white = np.iinfo(picture.dtype).max
    cover = picture[..., 3:].astype(np.uint32)
    return ((picture[..., :3] * cover + white // 2) // white).astype(picture.dtype)


def _make_whiter(picture: Picture) -> None:
    """Of limited range, swscale makes 65280 of white in 16 bits; it is to be 65535."""
    colours = picture[..., :3]
    np.minimum(colours, 255 << 8, out=colours)
    colours += colours >> 8


def _scaled(picture: Picture, size: Resolution) -> Picture:
    """An RGBA picture at `size`; Pillow weights colours by alpha, so hidden ones stay hidden."""
    image = Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC, reducing_gap=None)
    return np.asarray(image)

"""Filters: from frames, or from what a video holds, to the pixels that an encoder takes.

Colours: RGB is turned into BT.709 limited range and tagged so, which is what players assume for
video of any size; some formats hold RGB itself. Where there is no alpha, RGBA frames are shown over
black. Where a format takes no such size, the last columns and rows are repeated.
"""

from __future__ import annotations

from typing import NamedTuple

FLAGS = "flags=bicubic+accurate_rnd+full_chroma_int+bitexact"
LIMITED = "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
FULL_RGB = "setparams=range=pc:color_primaries=bt709:color_trc=bt709:colorspace=gbr"
OVER_BLACK = "format=gbrap,premultiply=inplace=1,"
# A palette for each frame: one for all would be known only after the last frame, and until then all
# frames would wait in memory.
PALETTE = (
    "split[coloured][counted];[counted]palettegen=stats_mode=single[palette];"
    "[coloured][palette]paletteuse=new=1:dither=sierra2_4a:alpha_threshold=128"
)


class Pixels(NamedTuple):
    """What an encoder takes, by ffmpeg's names."""

    plain: str
    clear: str = ""  # for frames with alpha; empty: the encoder knows no alpha
    is_yuv: bool = False
    behind: str = FULL_RGB  # the last filter
    fastest: int | None = None  # frames per second; others are left out

    def of(self, *, has_alpha: bool) -> str:
        return self.clear if has_alpha and self.clear else self.plain


def yuv(plain: str, clear: str = "") -> Pixels:
    """Pixels that hold brightness and colour instead of RGB."""
    return Pixels(plain, clear, is_yuv=True, behind=LIMITED)


class Source(NamedTuple):
    """The pixels of a video as filters meet them; matrix and range by the names of `scale`."""

    has_alpha: bool
    matrix: str = "auto"  # as the frames are tagged
    range: str = "auto"


def from_frames(
    pixels: Pixels, size: tuple[int, int], shown: tuple[int, int], *, has_alpha: bool
) -> str:
    """The filters for RGB or RGBA frames of `size`, which become `shown` pixels wide and high."""
    keeps = bool(has_alpha and pixels.clear)
    chain = f"{_fewer(pixels.fastest)}," if pixels.fastest else ""
    chain += OVER_BLACK if has_alpha and not keeps else ""
    chain += _fill(size, shown, keeps_alpha=keeps)
    if pixels.is_yuv:
        chain += f"scale=out_color_matrix=bt709:out_range=tv:{FLAGS},"
    return f"{chain}format={pixels.of(has_alpha=has_alpha)},{pixels.behind}"


def from_video(
    pixels: Pixels, source: Source, size: tuple[int, int], shown: tuple[int, int]
) -> str:
    """The filters for a video of `size`, which becomes `shown`: colours look the same."""
    scale = f"scale=in_color_matrix={source.matrix}:in_range={source.range}"
    loses_alpha = source.has_alpha and not pixels.clear
    if pixels.is_yuv and size == shown and not loses_alpha:
        into = f"{scale}:out_color_matrix=bt709:out_range=tv:{FLAGS}"
        return f"{into},format={pixels.of(has_alpha=source.has_alpha)},{pixels.behind}"
    rgb = "gbrap" if source.has_alpha else "gbrp"
    chain = from_frames(pixels, size, shown, has_alpha=source.has_alpha)
    return f"{scale}:out_range=pc:{FLAGS},format={rgb},{chain}"


def by_cover(filters: str) -> str:
    """Filters that mix pixels, for RGBA frames: colours count as much as they cover."""
    if not filters:
        return ""
    return f"format=gbrap16le,premultiply=inplace=1,{filters},unpremultiply=inplace=1,format=rgba"


def _fewer(fastest: int) -> str:
    """The filter that leaves frames out; the last one is shown to its end."""
    return f"fps=min(source_fps\\,{fastest}):eof_action=pass"


def _fill(size: tuple[int, int], shown: tuple[int, int], *, keeps_alpha: bool) -> str:
    """Repeats the last column and row, in steps: fillborders makes sides twice as long at most."""
    if size == shown:
        return ""
    (width, height), steps = size, ""
    while (width, height) != shown:
        right = min(shown[0] - width, width)
        bottom = min(shown[1] - height, height)
        width, height = width + right, height + bottom
        steps += f"pad={width}:{height},fillborders=right={right}:bottom={bottom},"
    return f"format={'gbrap' if keeps_alpha else 'gbrp'},{steps}"  # it knows planar formats only

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
# A palette for each frame: one for all would be known only after the last frame, and until then all
# frames would wait in memory.
PALETTE = (
    "split[coloured][counted];[counted]palettegen=stats_mode=single[palette];"
    "[coloured][palette]paletteuse=new=1:dither=sierra2_4a:alpha_threshold=128"
)


# RGB of 16 bits is white at 65535. For ffmpeg it is so at 65280, 255 of 8 bits, where it makes such
# RGB of 8 bits or of limited range, and where it makes limited range of it. Filters for layouts
# that are not planar: in others, lutrgb knows nothing above 65280.
WHITER = "lutrgb=" + ":".join(f"{each}=val*257/256+0.5" for each in "rgb")
DARKER = "lutrgb=" + ":".join(f"{each}=val*256/257+0.5" for each in "rgb")


class Pixels(NamedTuple):
    """What an encoder takes, by ffmpeg's names.

    `deep` and `deep_clear` are for frames of more than 8 bits; empty: the encoder keeps 8 of them.
    `through` is RGB of 16 bits that ffmpeg makes `plain` of without loss; empty: it can do so of
    any RGB.
    """

    plain: str
    clear: str = ""  # for frames with alpha; empty: the encoder knows no alpha
    is_yuv: bool = False
    behind: str = FULL_RGB  # the last filter
    fastest: int | None = None  # frames per second; others are left out
    deep: str = ""
    deep_clear: str = ""
    through: str = ""

    @property
    def is_always_deep(self) -> bool:
        """Whether frames of 8 bits have more as well."""
        return self.deep == self.plain

    def of(self, *, has_alpha: bool, is_deep: bool = False) -> str:
        keeps_depth = is_deep and self.deep
        plain, clear = (self.deep, self.deep_clear) if keeps_depth else (self.plain, self.clear)
        return clear if has_alpha and clear else plain


def yuv(plain: str, clear: str = "", *, is_deep: bool = False) -> Pixels:
    """Pixels that hold brightness and colour instead of RGB; `is_deep`: in more than 8 bits."""
    deep, deep_clear = (plain, clear) if is_deep else ("", "")
    return Pixels(plain, clear, is_yuv=True, behind=LIMITED, deep=deep, deep_clear=deep_clear)


class Source(NamedTuple):
    """The pixels of a video as filters meet them; matrix and range by the names of `scale`."""

    has_alpha: bool
    matrix: str = "auto"  # as the frames are tagged
    range: str = "auto"
    is_deep: bool = False  # more than 8 bits
    is_rgb: bool = False


def from_frames(
    pixels: Pixels,
    size: tuple[int, int],
    shown: tuple[int, int],
    *,
    has_alpha: bool,
    is_deep: bool = False,
) -> str:
    """The filters for RGB or RGBA frames of `size`, which become `shown` pixels wide and high."""
    keeps = bool(has_alpha and pixels.clear)
    chain = f"{_fewer(pixels.fastest)}," if pixels.fastest else ""
    if has_alpha and not keeps:  # in 8 bits, it makes even what is opaque a level darker
        chain += over_black(is_deep=is_deep or pixels.is_always_deep)
    chain += _fill(size, shown, _planar(has_alpha=keeps, is_deep=is_deep))
    if pixels.is_yuv:
        chain += f"format={_packed(has_alpha=keeps)},{DARKER}," if is_deep else ""
        chain += f"scale=out_color_matrix=bt709:out_range=tv:{FLAGS},"
    if pixels.through:
        chain += f"format={pixels.through},{'' if is_deep else f'{WHITER},'}"
    return f"{chain}format={pixels.of(has_alpha=has_alpha, is_deep=is_deep)},{pixels.behind}"


def from_video(
    pixels: Pixels, source: Source, size: tuple[int, int], shown: tuple[int, int]
) -> str:
    """The filters for a video of `size`, which becomes `shown`: colours look the same."""
    scale = f"scale=in_color_matrix={source.matrix}:in_range={source.range}"
    loses_alpha = source.has_alpha and not pixels.clear
    needs_rgb = loses_alpha or (source.is_rgb and source.is_deep)
    if pixels.is_yuv and size == shown and not needs_rgb:
        into = f"{scale}:out_color_matrix=bt709:out_range=tv:{FLAGS}"
        own = pixels.of(has_alpha=source.has_alpha, is_deep=source.is_deep)
        return f"{into},format={own},{pixels.behind}"
    facts = {"has_alpha": source.has_alpha, "is_deep": source.is_deep}
    rgb, chain = _planar(**facts), from_frames(pixels, size, shown, **facts)
    if source.is_deep and source.range != "pc":
        chain = f"format={_packed(has_alpha=source.has_alpha)},{WHITER},{chain}"
    return f"{scale}:out_range=pc:{FLAGS},format={rgb},{chain}"


def by_cover(filters: str) -> str:
    """Filters that mix pixels, for RGBA frames: colours count as much as they cover."""
    if not filters:
        return ""
    return f"format=gbrap16le,premultiply=inplace=1,{filters},unpremultiply=inplace=1,format=rgba"


def _fewer(fastest: int) -> str:
    """The filter that leaves frames out; the last one is shown to its end."""
    return f"fps=min(source_fps\\,{fastest}):eof_action=pass"


def over_black(*, is_deep: bool) -> str:
    """The filter that shows frames with alpha over black, and a comma."""
    return f"format={_planar(has_alpha=True, is_deep=is_deep)},premultiply=inplace=1,"


def _planar(*, has_alpha: bool, is_deep: bool) -> str:
    """RGB as filters take it that know planar layouts only."""
    return f"{'gbrap' if has_alpha else 'gbrp'}{'16le' if is_deep else ''}"


def _packed(*, has_alpha: bool) -> str:
    """RGB of 16 bits whose values stand side by side."""
    return "rgba64le" if has_alpha else "rgb48le"


def _fill(size: tuple[int, int], shown: tuple[int, int], planar: str) -> str:
    """Repeats the last column and row, in steps: fillborders makes sides twice as long at most."""
    if size == shown:
        return ""
    (width, height), steps = size, ""
    while (width, height) != shown:
        right = min(shown[0] - width, width)
        bottom = min(shown[1] - height, height)
        width, height = width + right, height + bottom
        steps += f"pad={width}:{height},fillborders=right={right}:bottom={bottom},"
    return f"format={planar},{steps}"

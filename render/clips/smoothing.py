"""Loops whose frames lie between the moments of the film: drawn by ffmpeg's motion interpolation.

It knows no loops: at both ends it leaves frames out. So it gets the cycle with some more moments
before and behind, and only the frames of one round are taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from jobs.cycles import Cycle, Moment
from jobs.kinds import Resolution

LEAST_SIDE = 32  # pixels: in smaller pictures it finds no motion, and mixes neighbours instead
MOTION = "mi_mode=mci:mc_mode=aobmc:me_mode=bidir:vsbmc=1"
MIXED = "mi_mode=blend"
BEYOND = 8  # moments on either side: interpolation looks at four, and follows motion over some more


class Smoothed(NamedTuple):
    """What ffmpeg gets."""

    filters: str
    moments: Iterator[Moment]
    written: int  # moments


def smoothed(cycle: Cycle, filters: str, size: Resolution, *, has_alpha: bool) -> Smoothed:
    """The moments to write, pictures of `size`; filters that make the loop's frames of them.

    They come before `filters`.
    """
    written = cycle.moments + 2 * BEYOND
    moments = (cycle.moment(number - BEYOND) for number in range(written))
    own = interpolation(cycle, size, has_alpha=has_alpha)
    return Smoothed(f"{own},{filters}" if filters else own, moments, written)


def interpolation(cycle: Cycle, size: Resolution, *, has_alpha: bool) -> str:
    """Times are in ticks, of which a moment lasts `frames` and a frame `moments`: all are whole.

    The first frame of the loop is shown at moment 0, frame number `ahead` of the interpolation. It
    does not know RGB; what it makes is RGB again, as it came.
    """
    ahead = -(-BEYOND * cycle.frames // cycle.moments)
    first = ahead * cycle.moments - BEYOND * cycle.frames
    how = MOTION if min(size) >= LEAST_SIDE else MIXED
    yuv, rgb = ("yuva444p", "rgba") if has_alpha else ("yuv444p", "gbrp")
    return ",".join(
        (
            f"scale=out_color_matrix=bt709:out_range=pc,format={yuv}",
            f"settb=1/{cycle.fps * cycle.moments}",
            f"setpts=N*{cycle.frames}+{first}",
            f"minterpolate=fps={cycle.fps}:{how}",
            f"select='between(pts,{ahead},{ahead + cycle.frames - 1})',setpts=N",
            f"scale=in_color_matrix=bt709:in_range=pc:out_range=pc,format={rgb}",
        )
    )

"""Loops whose frames lie between the moments of the film: drawn by ffmpeg's motion interpolation.

The interpolation knows no loops: it leaves frames out at both ends. So it gets the cycle with some
more moments before and behind, and only the frames of one round are taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from jobs.plans.cycles import Cycle, Moment
from jobs.settings.kinds import Resolution

LEAST_SIDE = 32  # pixels: in smaller pictures no motion is found, so neighbours are mixed
MOTION = "mi_mode=mci:mc_mode=aobmc:me_mode=bidir:vsbmc=1"
MIXED = "mi_mode=blend"
BEYOND = 8  # moments on either side: interpolation looks at four, and follows motion over some more


class Smoothed(NamedTuple):
    """What ffmpeg gets for a loop."""

    filters: str
    moments: Iterator[Moment]
    written: int  # moments


def smoothed(cycle: Cycle, filters: str, size: Resolution, *, has_alpha: bool) -> Smoothed:
    """The moments to write, and filters that make the loop's frames of them, then `filters`.

    `size` is that of the moments' pictures.
    """
    written = cycle.moments + 2 * BEYOND
    moments = (cycle.moment(number - BEYOND) for number in range(written))
    own = interpolation(cycle, size, has_alpha=has_alpha)
    return Smoothed(f"{own},{filters}" if filters else own, moments, written)


def interpolation(cycle: Cycle, size: Resolution, *, has_alpha: bool) -> str:
    """The filters from moments to the loop's frames.

    Times are in ticks, of which a moment lasts `cycle.frames` and a frame `cycle.moments`: all are
    whole. The first frame of the loop is shown at moment 0, which is frame number `ahead` of the
    interpolation. That does not know RGB, so pictures become YUV before it and RGB after it.
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

"""What part of a picture is shown, and how large: a crop, then a scale that covers. Pure."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from jobs.errors import UsageError
from jobs.settings.kinds import Resolution

LANCZOS = "lanczos+accurate_rnd+full_chroma_int+bitexact"


class Corner(NamedTuple):
    """Where a crop begins: pixels from the left, and from the top."""

    x: int
    y: int


class Framing(NamedTuple):
    """ffmpeg's filters, the size that they make, and in words what they do; empty where nothing."""

    filters: str
    size: Resolution
    told: str


def framing(
    given: Resolution,
    crop: Resolution | None,
    scale: Resolution | None,
    corner: Corner | None = None,
) -> Framing:
    """Cut `crop` pixels from the middle, or from `corner` on; make what is left cover `scale`.

    The proportion is kept: what exceeds `scale` is cut off on both sides. UsageError where the
    crop does not lie in a picture of the size that is `given`.
    """
    filters, steps, size = [], [], given
    if crop:
        x, y = corner or Corner((given.width - crop.width) // 2, (given.height - crop.height) // 2)
        if min(x, y) < 0 or x + crop.width > given.width or y + crop.height > given.height:
            where = f" from {x}+{y} on" if corner else ""
            raise UsageError(f"a crop of {crop}{where} does not lie in a picture of {given}")
        filters.append(f"crop={crop.width}:{crop.height}:{x}:{y}")
        steps.append(f"cut to {crop}")
        size = crop
    if scale and scale != size:
        larger = covering(size, scale)
        filters.append(f"scale={larger.width}:{larger.height}:flags={LANCZOS}")
        steps.append(f"scaled to {larger}")
        if larger != scale:
            filters.append(f"crop={scale.width}:{scale.height}")
            steps.append(_over(larger, scale))
        size = scale
    return Framing(",".join(filters), size, ", ".join(steps))


def covering(size: Resolution, scale: Resolution) -> Resolution:
    """The least size with the proportions of `size` that covers `scale`."""
    factor = max(Fraction(scale.width, size.width), Fraction(scale.height, size.height))
    return Resolution(
        max(scale.width, round(size.width * factor)), max(scale.height, round(size.height * factor))
    )


def _over(larger: Resolution, scale: Resolution) -> str:
    side = "width" if larger.width > scale.width else "height"
    over = max(larger.width - scale.width, larger.height - scale.height)
    return f"{over} pixels of the {side} cut off, so that {scale} is filled"

"""Codecs at their settings, as points of curves: compared at equal bytes, drawn. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from jobs.errors import MultitrainError, how_to_install

SIZE = (11, 5)  # inches
DOTS = 110  # an inch


class Point(NamedTuple):
    """A codec at one of its settings.

    - bytes: of a frame, of all that is stored.
    - psnr: dB, over all colours; ms_ssim: of the brightness. Means over frames.
    - mae: the mean absolute error, where black is 0 and white 1.
    """

    codec: str
    setting: str
    bytes: float
    psnr: float
    ms_ssim: float
    mae: float


def curves(points: Iterable[Point]) -> dict[str, list[Point]]:
    """The points of each codec, from few bytes to many."""
    found: dict[str, list[Point]] = defaultdict(list)
    for each in points:
        found[each.codec].append(each)
    return {codec: sorted(some, key=lambda each: each.bytes) for codec, some in found.items()}


def psnr_at(curve: Sequence[Point], size: float) -> float | None:
    """The PSNR of a curve at so many bytes, linear in their logarithm; None beyond its ends."""
    for one, other in pairwise(curve):
        if one.bytes <= size <= other.bytes:
            share = math.log(size / one.bytes) / math.log(other.bytes / one.bytes)
            return one.psnr + share * (other.psnr - one.psnr)
    return None


def require_matplotlib() -> None:
    """MultitrainError where there is none: to be asked before what is to be drawn is measured."""
    if not find_spec("matplotlib"):
        raise MultitrainError(
            f"a plot takes matplotlib: {how_to_install('plot')}; or leave out --plot"
        )


def plot(points: Sequence[Point], title: str, path: Path) -> None:
    """Draw both curves of each codec as a PNG, by matplotlib. OSError."""
    from matplotlib.figure import Figure

    figure = Figure(SIZE, DOTS, layout="constrained")
    figure.suptitle(title)
    for axes, name, what in zip(
        figure.subplots(1, 2), ("psnr", "ms_ssim"), ("PSNR, dB", "MS-SSIM"), strict=True
    ):
        for codec, curve in curves(points).items():
            if len(curve) > 1 or codec != "identity":  # its quality has no end
                values = [getattr(each, name) for each in curve]
                axes.plot([each.bytes for each in curve], values, marker="o", label=codec)
        axes.set(xscale="log", xlabel="bytes a frame", ylabel=what)
        axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, format="png")

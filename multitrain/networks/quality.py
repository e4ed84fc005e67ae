"""How good a picture is that was made of a low one: figures, without any framework."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple, Self


class Quality(NamedTuple):
    """Of one picture, or a mean over several.

    - psnr_y, psnr_rgb: the peak signal-to-noise ratio in dB, of brightness and of all colours.
    - ssim, ms_ssim: the structural similarity of brightness, in a Gaussian window of 11 pixels and
      deviation 1.5, and over up to five scales.
    - perceptual: how far apart VGG16 sees them; None: there are no weights of it.
    """

    psnr_y: float
    psnr_rgb: float
    ssim: float
    ms_ssim: float
    perceptual: float | None = None

    @classmethod
    def mean(cls, each: Sequence[Self]) -> Self:
        """Of each measure."""
        columns = (
            [value for value in column if value is not None] for column in zip(*each, strict=True)
        )
        return cls(*(fmean(column) if column else None for column in columns))  # type: ignore[arg-type]

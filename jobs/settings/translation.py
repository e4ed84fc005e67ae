"""Settings of networks that make pictures into pictures: how inputs are made, and losses.

Both are names with parameters, as those of `jobs.settings.choices`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Self

from annotated_types import Ge, Le

from jobs.settings.bounds import Count, NotNegative, Positive
from jobs.settings.choices import Choice, Parameter, Table

# What a pixel of a smaller picture is the weighted mean by, as Pillow has them.
Kernel = Literal["bicubic", "bilinear", "lanczos", "box", "nearest"]
Codec = Literal["h264", "h265", "vp9"]
Skip = Literal["auto", "none", "nearest", "bilinear"]

_WEIGHTED = re.compile(r"([\w-]+)\s*\*\s*([^*()]+)")


@dataclass(frozen=True)
class Making(Choice):
    """A step by which an input is made of its target; its pixels have levels from 0 to 255."""

    TABLE: ClassVar[Table] = {
        "grey": {},
        "blur": {
            "radius": Parameter(Annotated[Positive, Le(256)], 2.0, "its deviation, in pixels"),
        },
        "edges": {
            "strength": Parameter(
                Annotated[Positive, Le(100)],
                4.0,
                "how dark a line is: so many levels for each level from a pixel to the next",
            ),
        },
        "posterise": {
            "levels": Parameter(Annotated[Count, Ge(2), Le(64)], 4, "that each colour has"),
        },
        "downscale": {
            "factor": Parameter(
                Annotated[Count, Ge(2), Le(64)],
                4,
                "pixels, in both directions, that are made one; the picture stays as large",
            ),
        },
    }
    HELP: ClassVar[Mapping[str, str]] = {
        "grey": "without colours",
        "blur": "by a Gaussian",
        "edges": "dark lines on white, where brightness changes",
        "posterise": "each colour to the nearest of a few levels",
        "downscale": "made small, and enlarged again, smoothly",
    }


@dataclass(frozen=True)
class Degradation(Choice):
    """A step by which a low picture is made of a high one; pixels have levels from 0 to 255."""

    TABLE: ClassVar[Table] = {
        "shrink": {
            "kernel": Parameter(Kernel, "bicubic", "what a pixel is the weighted mean by"),
        },
        "blur": {
            "radius": Parameter(Annotated[Positive, Le(64)], 1.0, "its deviation, in pixels"),
        },
        "noise": {
            "levels": Parameter(Annotated[Positive, Le(255)], 5.0, "its deviation, of 255"),
        },
        "jpeg": {
            "quality": Parameter(Annotated[Count, Le(100)], 50, "from 1 to 100"),
        },
        "halos": {
            "strength": Parameter(Annotated[Positive, Le(10)], 1.0, "how bright they are"),
            "radius": Parameter(Annotated[Positive, Le(16)], 1.5, "how broad, in pixels"),
        },
        "interlace": {},
        "video": {
            "crf": Parameter(
                Annotated[int, Ge(1), Le(51)], 32, "constant rate factor: the more, the worse"
            ),
            "codec": Parameter(Codec, "h264", "`h264`, `h265` or `vp9`"),
        },
    }
    HELP: ClassVar[Mapping[str, str]] = {
        "shrink": (
            "made `scale` times smaller; a chain without it begins with it. What stands before is "
            "done to the large picture"
        ),
        "blur": "by a Gaussian",
        "noise": "Gaussian, another one in each batch, the same for the same seed",
        "jpeg": "as a JPEG file of that quality keeps it, colours at half the size",
        "halos": "edges with bright and dark lines beside them, as of tapes and old transfers",
        "interlace": "every other line is lost, and made of those above and below it",
        "video": (
            "as a video keeps them, once and for all: the pictures of a folder, in their order, "
            "`scale` times smaller. Stands first, without shrink"
        ),
    }


@dataclass(frozen=True)
class Filter(Choice):
    """What smooths a picture."""

    TABLE: ClassVar[Table] = {
        "none": {},
        "guided": {
            "radius": Parameter(Annotated[Count, Le(64)], 1, "of its square window, in pixels"),
            "eps": Parameter(
                Annotated[Positive, Le(100)],
                0.01,
                "how much variance is smoothed away, where values are from -1 to 1",
            ),
        },
    }
    HELP: ClassVar[Mapping[str, str]] = {
        "none": "leaves it as it is",
        "guided": "a guided filter: smooth where little changes, edges stay as sharp as they were",
    }


@dataclass(frozen=True)
class Flattening(Choice):
    """What a picture of few flat areas is made of another one by."""

    TABLE: ClassVar[Table] = {
        "posterised": {
            "radius": Parameter(Annotated[Count, Le(64)], 5, "of the guided filter before"),
            "eps": Parameter(Annotated[Positive, Le(100)], 0.05, "of that filter"),
            "levels": Parameter(Annotated[Count, Ge(2), Le(64)], 8, "that each colour has"),
        },
        "superpixels": {
            "areas": Parameter(Annotated[Count, Le(10_000)], 200, "of a picture, about"),
            "compactness": Parameter(
                Annotated[Positive, Le(1000)], 10.0, "the larger, the more they keep to squares"
            ),
            "rounds": Parameter(Annotated[Count, Le(100)], 10, "in which they find their edges"),
        },
    }
    HELP: ClassVar[Mapping[str, str]] = {
        "superpixels": "areas that follow edges, each in its mean colour",
        "posterised": "smoothed by a guided filter, then each colour to the nearest of some levels",
    }


@dataclass(frozen=True)
class Term(Choice):
    """A part of a generator's loss, and its weight: `l1*100`."""

    WEIGHT: ClassVar[Mapping[str, Parameter]] = {
        "weight": Parameter(NotNegative, 1.0, "beside the others; also written `l1*100`")
    }
    TABLE: ClassVar[Table] = {
        "l1": WEIGHT,
        "l2": WEIGHT,
        "charbonnier": WEIGHT,
        "bce": WEIGHT,
        "elastic": WEIGHT,
        "multiscale-l1": WEIGHT,
        "coarse-l1": WEIGHT,
        "ssim": WEIGHT,
        "ms-ssim": WEIGHT,
        "tv": WEIGHT,
        "feature": WEIGHT,
        "perceptual": WEIGHT,
        "contextual": WEIGHT,
        "cycle": WEIGHT,
        "identity": WEIGHT,
        "gan": WEIGHT,
    }
    HELP: ClassVar[Mapping[str, str]] = {
        "l1": "how far the output's values are from the target's, on average",
        "l2": "the squares of these distances: blurrier",
        "charbonnier": "as `l1`, but round at the bottom",
        "bce": (
            "the cross-entropy of values as shares from 0 to 1, less the target's own: 0 where "
            "both are equal"
        ),
        "elastic": "four parts of `l1` and one of `l2`",
        "multiscale-l1": "the mean of `l1` at full, half and a quarter size",
        "coarse-l1": "how far apart they are at a quarter of their size: details are free",
        "ssim": "1 less the structural similarity",
        "ms-ssim": "the same over up to five scales",
        "cycle": "how far an input is from what comes back of it, there and back; both ways round",
        "identity": "how far a picture that is a target already is from what is made of it",
        "feature": (
            "how far what the discriminator's layers make of output and target lies apart; 10 is "
            "usual, beside `gan`"
        ),
        "perceptual": "the same of VGG16's first three stages, whose weights `perceptual` names",
        "contextual": (
            "whether the output has what the target has, wherever it is: by VGG16's third stage, "
            "at 64x64 places or fewer; for pairs that do not lie exactly on each other"
        ),
        "tv": "how much the output changes from pixel to pixel: a little of it against grain",
        "gan": "what the discriminator thinks of the output, by `loss`",
    }

    def __str__(self) -> str:
        weight = float(self["weight"])
        exact = int(weight) if weight.is_integer() else weight
        return f"{self.name}*{exact}" if self.given else self.name

    @classmethod
    def parse(cls, value: object) -> Self:
        """As `Choice.parse`; also `l1*100`."""
        match = _WEIGHTED.fullmatch(str(value).strip())
        return super().parse(f"{match[1]}({match[2]})" if match else value)

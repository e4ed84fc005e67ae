"""Settings of networks that make pictures into pictures: how inputs are made, and losses.

Both are names with parameters, as those of `jobs.settings.choices`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Self

from annotated_types import Ge, Le

from jobs.settings.bounds import Count, NotNegative, Positive
from jobs.settings.choices import Choice, Parameter, Table

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
class Term(Choice):
    """A part of a generator's loss, and its weight: `l1*100`."""

    WEIGHT: ClassVar[Mapping[str, Parameter]] = {
        "weight": Parameter(NotNegative, 1.0, "beside the others; also written `l1*100`")
    }
    TABLE: ClassVar[Table] = {
        "l1": WEIGHT,
        "l2": WEIGHT,
        "charbonnier": WEIGHT,
        "elastic": WEIGHT,
        "multiscale-l1": WEIGHT,
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
        "elastic": "four parts of `l1` and one of `l2`",
        "multiscale-l1": "the mean of `l1` at full, half and a quarter size",
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

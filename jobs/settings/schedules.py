"""How learning rates go over the steps of a training."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple

from annotated_types import Ge, Gt, Le

from jobs.settings.bounds import LARGEST, Count, Positive, Share
from jobs.settings.choices import Choice, Parameter, Table
from jobs.settings.moments import Moments

PLATEAU = "plateau"

Measure = Literal["psnr", "ssim"]

_STEPS = Parameter(Count, None, "steps until it has come to its end; empty: the whole training")
_FACTOR = Parameter(Annotated[float, Gt(0), Le(1)], 0.5, "of each fall")
_ALPHA = Parameter(Share, 0.0, "share of the rate that is left at the end")
_M_MUL = Parameter(Annotated[float, Gt(0), Le(1)], 1.0, "each restart, by this factor")
_ROUNDS = Annotated[int, Ge(1), Le(50)]


class Fall(NamedTuple):
    """After so many steps, this share of the rate is left."""

    steps: int
    share: float


@dataclass(frozen=True)
class Schedule(Choice):
    """How the learning rate goes over the steps of a training."""

    TABLE: ClassVar[Table] = {
        "constant": {},
        "step": {
            "steps": _STEPS._replace(
                help="steps from fall to fall; empty: a tenth of the training"
            ),
            "factor": _FACTOR,
        },
        "multistep": {
            "at": Parameter(
                Moments,
                Moments("50%/75%/90%"),
                "when it falls: after shares of a round, or after steps, `5000/8000`",
            ),
            "factor": _FACTOR,
            "rounds": Parameter(_ROUNDS, 1, "parts of equal length, each from the full rate on"),
            "m_mul": _M_MUL,
        },
        "cosine": {
            "steps": _STEPS._replace(
                help="steps to the first restart; empty: so many that the rounds, without them "
                "one, fill the training"
            ),
            "t_mul": Parameter(Annotated[Positive, Ge(1)], 1.0, "each round, by this factor"),
            "m_mul": _M_MUL,
            "alpha": _ALPHA,
            "rounds": Parameter(
                _ROUNDS, None, "then it stays as it is; empty: as many as there is time for"
            ),
        },
        "linear": {"steps": _STEPS, "alpha": _ALPHA},
        PLATEAU: {
            "patience": Parameter(
                Count, 5, "so many measurements of `validation` without a new best one: it falls"
            ),
            "factor": _FACTOR,
            "measure": Parameter(Measure, "psnr", "`psnr` or `ssim`"),
            "alpha": _ALPHA._replace(help="share of the rate that is always left"),
        },
    }
    HELP: ClassVar[Mapping[str, str]] = {
        "constant": "always the same",
        "step": "falls again and again after as many steps",
        "multistep": "falls at some moments",
        "cosine": "along half a wave, once or round after round (Loshchilov and Hutter 2016)",
        "linear": "evenly",
        PLATEAU: "falls when what `validation` measures gets no better",
    }

    def share_left(self, measured: Iterable[Mapping[str, float]]) -> float:
        """Of the rate, after these measurements by one set of pictures, where it is a plateau."""
        best, waited, share = -math.inf, 0, 1.0
        factor, least = float(self["factor"]), float(self["alpha"])
        for values in measured:
            waited += 1
            if (value := values.get(self["measure"], -math.inf)) > best:
                best, waited = value, 0
            if waited == self["patience"]:
                waited, share = 0, share * factor
        return max(share, least)


def falls(multistep: Schedule, steps: int) -> list[Fall]:
    """The falls of a `multistep`, and its rises where a round begins, of so many steps."""
    rounds, factor = multistep["rounds"], multistep["factor"]
    length = -(-steps // rounds)
    found = []
    for number in range(rounds):
        full = multistep["m_mul"] ** number
        found += [Fall(number * length, full)] if number else []
        moments = enumerate(multistep["at"].within(length), 1)
        found += [Fall(number * length + moment, full * factor**n) for n, moment in moments]
    return found


def first_round(cosine: Schedule, steps: int) -> int:
    """The steps of the first round of a `cosine`, of so many in all."""
    if cosine["steps"]:
        return int(cosine["steps"])
    return max(1, math.ceil(steps / _times_the_first(cosine)))


def last_step(cosine: Schedule, steps: int) -> int | None:
    """The last step of the last round of a `cosine`; None: no training gets that far."""
    if not cosine["rounds"] or not cosine["steps"]:
        return None
    last = math.ceil(first_round(cosine, steps) * _times_the_first(cosine)) - 1
    return max(0, last) if last < LARGEST else None


def _times_the_first(cosine: Schedule) -> float:
    """How many times as long as the first of its rounds all are together."""
    length = total = 1.0
    for _ in range(1, cosine["rounds"] or 1):
        length = min(length * cosine["t_mul"], LARGEST)
        total += length
    return total

"""Moments of a training: after so many steps, or after so large a share of it, `50%/75%/90%`."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import pairwise
from typing import Any, ClassVar

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from jobs.settings.bounds import LARGEST

MOST = 20  # moments that are named at once

_SHARE = re.compile(r"(\d{1,2}(?:\.\d{1,6})?)\s*%")
_STEPS = re.compile(r"\d{1,10}")


class Moments(str):
    """Moments one after the other, all in steps or all as shares: `50000/100000`, `12.5%/25%`."""

    WANTED: ClassVar[str] = (
        f"up to {MOST} steps, or shares below 100%, each later than the one before, such as "
        "50%/75%/90% or 5000/8000"
    )

    def __new__(cls, text: str) -> Moments:
        """ValueError where the text is none."""
        parts = [part.strip() for part in text.split("/")]
        kind = _SHARE if "%" in text else _STEPS
        if len(parts) > MOST or not all(map(kind.fullmatch, parts)):
            raise ValueError(f"must be {cls.WANTED}")
        moments = super().__new__(cls, "/".join(part.replace(" ", "") for part in parts))
        numbers = [Fraction(), *moments.numbers]
        if any(b <= a for a, b in pairwise(numbers)) or max(numbers) > LARGEST:
            raise ValueError(f"must be {cls.WANTED}")
        return moments

    @property
    def numbers(self) -> list[Fraction]:
        """As they are written, in steps or in per cent."""
        return [Fraction(part.rstrip("%")) for part in self.split("/")]

    def within(self, steps: int) -> list[int]:
        """After how many of so many steps they are: those that come before the last one."""
        whole = Fraction(steps, 100) if "%" in self else 1
        return [step for each in self.numbers if (step := round(each * whole)) < steps]

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())


STAGES = 2  # that begin after the first
_STAGES_WANTED = (
    "the steps at which two stages begin, or shares below 100%, the first not after the second, "
    "such as 89%/95%, 5000/8000 or 0/0"
)


def checked_stages(text: str) -> str:
    """The moments at which stages begin, with `/` between; `[0, 0]` will do. ValueError."""
    parts = [part.strip() for part in text.strip("[]").replace(",", "/").split("/")]
    kind = _SHARE if "%" in text else _STEPS
    if len(parts) == STAGES and all(part == "0" or kind.fullmatch(part) for part in parts):
        numbers = [Fraction(part.rstrip("% ")) for part in parts]
        if numbers == sorted(numbers) and max(numbers) <= LARGEST:
            return "/".join(part.replace(" ", "") for part in parts)
    raise ValueError(f"must be {_STAGES_WANTED}")


def beginnings(stages: str, steps: int) -> list[int]:
    """After how many steps, of a training of so many, these stages begin."""
    whole = Fraction(steps, 100) if "%" in stages else 1
    return [round(Fraction(part.rstrip("%")) * whole) for part in stages.split("/")]

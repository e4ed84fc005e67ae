"""Other values for settings: numbers jiggled within their bounds, words swapped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any, NamedTuple, TypeVar

from annotated_types import Ge, Gt, Le, Lt

from jobs.settings.bounds import unwrap, words_of
from jobs.settings.choices import Choice

Chosen = TypeVar("Chosen", bound=Choice)

DIGITS = 3  # of a jiggled number


class Bounds(NamedTuple):
    """Where a number may lie; an `open` end is not one of its values."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False

    @classmethod
    def of(cls, metadata: Sequence[object]) -> Bounds:
        """From the metadata of an annotation."""
        bounds = cls()
        for each in metadata:
            match each:
                case Ge(ge=int() | float() as low):
                    bounds = bounds._replace(low=low, low_open=False)
                case Gt(gt=int() | float() as low):
                    bounds = bounds._replace(low=low, low_open=True)
                case Le(le=int() | float() as high):
                    bounds = bounds._replace(high=high, high_open=False)
                case Lt(lt=int() | float() as high):
                    bounds = bounds._replace(high=high, high_open=True)
        return bounds

    def hold(self, number: float) -> bool:
        above = number > self.low if self.low_open else number >= self.low
        below = number < self.high if self.high_open else number <= self.high
        return above and below

    def clamp(self, number: float, inside: float) -> float:
        """`number`, or the bound that it passed; half way from `inside` to it where it is open."""
        if number <= self.low:
            return (self.low + inside) / 2 if self.low_open else self.low
        if number >= self.high:
            return (self.high + inside) / 2 if self.high_open else self.high
        return number


def jiggled(
    number: float, annotation: Any, spread: float, from_zero: float, random: Random
) -> float:
    """Another number, log-normally around `number`: `spread` is the deviation of its logarithm.

    A 0 becomes anything up to `from_zero`. Whole numbers move by 1 at least, where they may.
    """
    kind, metadata = unwrap(annotation)
    bounds = Bounds.of(metadata)
    wanted = number * math.exp(random.gauss(0, spread)) if number else from_zero * random.random()
    if kind is int:
        return _whole(int(number), wanted, bounds)
    wanted = bounds.clamp(wanted, number)
    short = float(f"{wanted:.{DIGITS}g}")
    return short if bounds.hold(short) else wanted


def _whole(number: int, wanted: float, bounds: Bounds) -> int:
    rounded = round(bounds.clamp(wanted, number))
    if rounded == number:
        rounded += 1 if wanted >= number else -1
    if not bounds.hold(rounded):
        rounded = 2 * number - rounded  # the other way
    return rounded if bounds.hold(rounded) else number


def swapped(word: str, words: Sequence[str], random: Random) -> str:
    """Another one of `words`; the same where there is none."""
    others = [each for each in words if each != word]
    return random.choice(others) if others else word


def varied_choice(choice: Chosen, spread: float, random: Random) -> Chosen:
    """Another name with its defaults, or one of its numbers jiggled."""
    every = choice.parameters().items()
    parameters = {name: value for name, value in every if isinstance(value, int | float)}
    if not parameters or random.random() < 0.5:
        return type(choice)(swapped(choice.name, list(choice.TABLE), random))
    name = random.choice(list(parameters))
    declared, value = choice.TABLE[choice.name][name], parameters[name]
    if isinstance(value, bool):
        value = not value
    else:
        value = jiggled(value, declared.type, spread, 0.1, random)
    given = {**dict(choice.given), name: value}
    table = choice.TABLE[choice.name]
    pairs = ((each, given[each]) for each in table if each in given)
    return replace(choice, given=tuple((each, v) for each, v in pairs if v != table[each].default))


def varied(value: Any, annotation: Any, spread: float, from_zero: float, random: Random) -> Any:
    """Another value of a setting that is no list; `annotation` is its type with its bounds."""
    kind, _ = unwrap(annotation)
    if isinstance(value, Choice):
        return varied_choice(value, spread, random)
    if isinstance(value, bool):
        return not value
    if words := words_of(kind):
        return swapped(value, words, random)
    return jiggled(value, annotation, spread, from_zero, random)

"""Types of numbers with bounds, and what a type says of its setting, in words."""

from __future__ import annotations

import types
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import Field
from pydantic_core import ErrorDetails

# The bound of every number that a user gives, unless its type sets a nearer one after it. It is far
# beyond what is of use, and what is computed of such a number is still finite.
LARGEST = 10**9

Count = Annotated[int, Ge(1), Le(LARGEST)]
Natural = Annotated[int, Ge(0), Le(LARGEST)]
Real = Annotated[float, Ge(-LARGEST), Le(LARGEST), Field(allow_inf_nan=False)]
Positive = Annotated[float, Gt(0), Le(LARGEST), Field(allow_inf_nan=False)]
NotNegative = Annotated[float, Ge(0), Le(LARGEST), Field(allow_inf_nan=False)]
Decay = Annotated[float, Ge(0), Lt(1), Field(allow_inf_nan=False)]
Share = Annotated[float, Ge(0), Le(1), Field(allow_inf_nan=False)]

_NOUNS = {int: ("a whole number", "whole numbers"), float: ("a number", "numbers")}


def unwrap(annotation: Any) -> tuple[Any, list[object]]:
    """The plain type under `Annotated` and `| None`, and the metadata met on the way."""
    metadata: list[object] = []
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            metadata += annotation.__metadata__
            annotation = annotation.__origin__
        elif origin in (Union, types.UnionType):
            annotation = next(a for a in get_args(annotation) if a is not types.NoneType)
        else:
            return annotation, metadata


def words_of(kind: Any) -> tuple[str, ...]:
    """The choices of a `Literal`; none of any other type."""
    return get_args(kind) if get_origin(kind) is Literal else ()


def too_large(error: ErrorDetails) -> str:
    """The bound that an absurdly large number must keep, in words; empty for other mistakes.

    `error` is one of pydantic's.
    """
    match error:
        case {"type": "less_than_equal", "ctx": {"le": far}} if far == LARGEST:
            return f"at most {LARGEST}"
        case {"type": "greater_than_equal", "ctx": {"ge": far}} if far == -LARGEST:
            return f"at least -{LARGEST}"
    return ""


def bounded(kind: type, bounds: Iterable[object], *, plural: bool = False) -> str:
    """`a number above 0 and at most 1`: `bounds` are the metadata of an annotation.

    Bounds that nobody comes near are left out: `too_large` names them.
    """
    lower, upper = "", ""
    for bound in bounds:
        match bound:
            case Le(le=far) | Ge(ge=far) if far in (LARGEST, -LARGEST):
                continue
            case Ge(ge=value):
                lower = f"of at least {value}"
            case Gt(gt=value):
                lower = f"above {value}"
            case Le(le=value):
                upper = f"at most {value}"
            case Lt(lt=value):
                upper = f"below {value}"
    noun = _NOUNS.get(kind, ("text", "texts"))[plural]
    return " ".join(filter(None, [noun, lower, "and" if lower and upper else "", upper]))

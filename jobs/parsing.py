"""Text cells into specs, with messages made from the declaration in `jobs.spec`."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from jobs.spec import COLUMNS, Activation, JobSpec, Resolution

LONGEST_QUOTE = 60  # characters of a wrong cell that a message repeats


def nearest(word: str, words: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the word most like `word`, or nothing where none is alike."""
    spelt = {each.casefold(): each for each in words}
    alike = get_close_matches(word.strip().casefold()[:LONGEST_QUOTE], spelt, n=1, cutoff=0.6)
    return f"; did you mean '{spelt[alike[0]]}'?" if alike else ""


def parse_cells(cells: Mapping[str, str]) -> tuple[JobSpec | None, dict[str, str]]:
    """The spec that a row's text describes, or one reason for each column with a mistake.

    Cells that are empty take the default; every key of `cells` must be a column.
    """
    given = {column: text.strip() for column, text in cells.items() if text.strip()}
    try:
        return JobSpec.model_validate(given), {}
    except ValidationError as error:
        # The first reason per column: a list with two unknown activations is one thing to mend.
        reasons = {str(each["loc"][0]): _reason(each) for each in reversed(error.errors())}
        return None, {column: reasons[column] for column in COLUMNS if column in reasons}


def expectation(column: str) -> str:
    """What a cell of `column` must be, in words: `a whole number of at least 1`."""
    kind, metadata = _unwrap(COLUMNS[column].annotation)
    if words := _choices(kind):
        return f"one of {', '.join(words)}"
    if kind is bool:
        return "True or False"
    if kind is Resolution:
        return "a size such as 1280x720"
    if get_origin(kind) is tuple:
        words = _choices(get_args(kind)[0])
        return f"one or more of {', '.join(words)}" if words else "one or more, comma-separated"
    noun = {int: "a whole number", float: "a number"}.get(kind, "text")
    lower, upper = "", ""
    for bound in (*COLUMNS[column].metadata, *metadata):
        match bound:
            case Ge(ge=value):
                lower = f"of at least {value}"
            case Gt(gt=value):
                lower = f"above {value}"
            case Le(le=value):
                upper = f"at most {value}"
            case Lt(lt=value):
                upper = f"below {value}"
    return " ".join(filter(None, [noun, lower, "and" if lower and upper else "", upper]))


def cell_text(value: object) -> str:
    """A setting as its cell would show it; nothing for an empty one."""
    if value is None:
        return ""
    if isinstance(value, tuple) and not isinstance(value, Resolution):
        return ",".join(str(entry) for entry in value)
    return str(value)


def plain_type(column: str) -> Any:
    """What a cell of `column` becomes: `int`, `float`, `str`, a `Literal` ..."""
    return _unwrap(COLUMNS[column].annotation)[0]


def _reason(error: ErrorDetails) -> str:
    column, given = str(error["loc"][0]), error["input"]
    match error["type"]:
        case "missing":
            return "is required and empty"
        case "too_short" | "string_too_short":
            return "needs at least one entry"
        case "value_error":
            return str(error["ctx"]["error"])
        case "literal_error":
            words = _choices(plain_type(column)) or get_args(Activation)
            expected = f"one of {', '.join(words)}"
            return f"must be {expected}, not {_shorten(given)}{nearest(str(given), words)}"
    return f"must be {expectation(column)}, not {_shorten(given)}"


def _shorten(given: object) -> str:
    text = str(given)
    return repr(text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…")


def _choices(kind: Any) -> tuple[str, ...]:
    return get_args(kind) if get_origin(kind) is Literal else ()


def _unwrap(annotation: Any) -> tuple[Any, list[object]]:
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

"""Text cells into specs, with messages made from the declaration in `jobs.spec`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from jobs.bounds import bounded, unwrap, words_of
from jobs.choices import Choice
from jobs.kinds import Resolution
from jobs.spec import COLUMNS, JobSpec
from jobs.words import one_of, quoted

_DECIMAL_COMMAS = re.compile(r"(\d+),(\d+)(?:\s*[,;]\s*\d+,\d+)*")


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
        return None, {
            column: reasons[column] + _decimal_point(column, given.get(column, ""))
            for column in COLUMNS
            if column in reasons
        }


def expectation(column: str) -> str:
    """What a cell of `column` must be, in words: `a whole number of at least 1`."""
    kind, metadata = unwrap(COLUMNS[column].annotation)
    if get_origin(kind) is tuple:
        entry, bounds = unwrap(get_args(kind)[0])
        words = choices_of(entry)
        if words:
            return f"one or more of {', '.join(words)}"
        if entry is str:
            return "one or more, comma-separated"
        return f"{bounded(entry, bounds, plural=True)}, comma-separated"
    if words := choices_of(kind):
        return f"one of {', '.join(words)}"
    if kind is bool:
        return "True or False"
    if kind is Resolution:
        return "a size such as 1280x720"
    return bounded(kind, [*COLUMNS[column].metadata, *metadata])


def choices_of(kind: Any) -> tuple[str, ...]:
    """The names that a cell of this plain type can hold; none where it is no choice."""
    if isinstance(kind, type) and issubclass(kind, Choice):
        return tuple(kind.TABLE)
    return words_of(kind)


def cell_text(value: object) -> str:
    """A setting as its cell would show it; nothing for an empty one."""
    if value is None:
        return ""
    if isinstance(value, tuple) and not isinstance(value, Resolution):
        return ",".join(str(entry) for entry in value)
    return str(value)


def plain_type(column: str) -> Any:
    """What a cell of `column` becomes: `int`, `float`, `str`, a `Literal` ..."""
    return unwrap(COLUMNS[column].annotation)[0]


def entry_type(column: str) -> Any:
    """What an entry of a cell becomes: as `plain_type`, but of a list the type of its entries."""
    kind = plain_type(column)
    return unwrap(get_args(kind)[0])[0] if get_origin(kind) is tuple else kind


def _decimal_point(column: str, text: str) -> str:
    """Advice where decimals may have been written with a comma, which ends an entry."""
    match = _DECIMAL_COMMAS.fullmatch(text)
    if not match or entry_type(column) is not float:
        return ""
    return f"; write decimals with a point, as {match[1]}.{match[2]}"


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
            return one_of(choices_of(entry_type(column)), str(given))
    return f"must be {expectation(column)}, not {quoted(given)}"

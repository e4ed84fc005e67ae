"""Text cells into specs, with messages made from the declaration in `jobs.settings.spec`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from jobs.settings.bounds import bounded, too_large, unwrap, words_of
from jobs.settings.choices import Choice
from jobs.settings.kinds import EntryFor, Folder, Resolution
from jobs.settings.lengths import MINUTES, SECONDS, length_text
from jobs.settings.spec import ALTERNATIVES, COLUMNS, GROUP_OF, JobSpec, facets, means_something
from jobs.settings.words import MEANT, one_of, quoted

_DECIMAL_COMMAS = re.compile(r"(\d{1,20}),(\d{1,20})(?:\s*[,;]\s*\d+,\d+)*")


def parse_cells(cells: Mapping[str, str]) -> tuple[JobSpec | None, dict[str, str]]:
    """The spec that a row's text describes, or one reason for each column with a mistake.

    Cells that are empty take the default; every key of `cells` must be a column.
    """
    given = {column: text.strip() for column, text in cells.items() if text.strip()}
    reasons = _wrong_alternatives(given)
    try:
        spec = JobSpec.model_validate(given)
    except ValidationError as error:
        # The first reason per column: a list with two unknown activations is one thing to mend.
        reasons |= {str(each["loc"][0]): _reason(each) for each in reversed(error.errors())}
    reasons |= _words_of_other_families(given)
    if not reasons:
        return spec, {}
    return None, {
        column: _with_advice(reasons[column], column, given.get(column, ""))
        for column in COLUMNS
        if column in reasons
    }


def _wrong_alternatives(given: Mapping[str, str]) -> dict[str, str]:
    """A reason where none of the columns of a group is given, or for each that is one too many.

    Columns that are for other families do not count.
    """
    reasons = {}
    family = given.get("family", COLUMNS["family"].default)
    for group in ALTERNATIVES:
        known = [column for column in group if means_something(column, family)]
        said = [column for column in known if column in given]
        if not said:
            others = " or ".join(known[1:])
            advice = f"; {others} would do, too" if others else ""
            reasons[group[0]] = f"is required and empty{advice}"
        for column in said[1:]:
            reasons[column] = f"stands beside {said[0]}, which says the same; keep one of them"
    return reasons


def _words_of_other_families(given: Mapping[str, str]) -> dict[str, str]:
    """A reason for each column with a word that is known, but not to the family."""
    family = given.get("family", COLUMNS["family"].default)
    reasons = {}
    for column, text in given.items():
        words = facets(column).words_in.get(family)
        if words and text not in words:
            reasons[column] = one_of(words, text)
    return reasons


def instead_of(column: str) -> str:
    """The columns that may stand instead of this one, in words: `steps or epochs`."""
    return " or ".join(each for each in GROUP_OF[column] if each != column)


def expectation(column: str) -> str:
    """What a cell of `column` must be, in words: `a whole number of at least 1`."""
    kind, _ = unwrap(COLUMNS[column].annotation)
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
    return bounded(kind, _metadata(column))


def _metadata(column: str) -> list[object]:
    """The metadata of the column itself, and of the type that it has where it is not empty."""
    field = COLUMNS[column]
    return [*field.metadata, *unwrap(field.annotation)[1]]


# Columns of seconds or minutes, where `1m30s` and `0:45` may stand, too; the seconds of their unit.
LENGTHS = {
    column: seconds
    for column in COLUMNS
    for unit, seconds in ((MINUTES, 60), (SECONDS, 1))
    if unit in _metadata(column)
}
# Columns whose lists have an entry for each `hidden layer`, or for each `convolution`.
ENTRIES_FOR = {
    column: found.each
    for column in COLUMNS
    for found in _metadata(column)
    if isinstance(found, EntryFor)
}


def choices_of(kind: Any) -> tuple[str, ...]:
    """The names that a cell of this plain type can hold; none where it is no choice."""
    if isinstance(kind, type) and issubclass(kind, Choice):
        return tuple(kind.TABLE)
    return words_of(kind)


def cell_text(column: str, value: object) -> str:
    """A setting as its cell would show it; an empty text for None."""
    if value is None:
        return ""
    if isinstance(value, float) and column in LENGTHS:
        return length_text(value, LENGTHS[column])
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


COLUMNS_OF_FOLDERS = tuple(column for column in COLUMNS if entry_type(column) is Folder)


def _with_advice(reason: str, column: str, text: str) -> str:
    """`reason`, with advice where decimals seem to have commas, or lists semicolons."""
    match = _DECIMAL_COMMAS.fullmatch(text)
    if match and entry_type(column) is float:
        return f"{reason}; write decimals with a point, as {match[1]}.{match[2]}"
    if ";" in text and get_origin(plain_type(column)) is tuple:
        return f"{reason.partition(MEANT)[0]}; write lists with commas, as a,b"
    return reason


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
    return f"must be {too_large(error) or expectation(column)}, not {quoted(given)}"

"""Tables into rows of cells: a header with names of columns, and below it a job a row.

CSV and workbooks have this in common.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from jobs.errors import Mistake
from jobs.settings.parsing import instead_of, plain_type
from jobs.settings.spec import ALTERNATIVES, COLUMNS
from jobs.sheets.forms.cells import (
    REQUIRED,
    Cell,
    Row,
    Rows,
    column_named,
    no_such_column,
    place,
    required_column_meant,
)

MOST_COLUMNS = 1000  # no sheet has more; a file that does is something else
NUMERIC = frozenset(column for column in COLUMNS if plain_type(column) in (int, float))

_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(e[+-]?\d+)?", re.IGNORECASE)
_DECIMAL_POINT = re.compile(r"[+-]?\d*\.\d+(e[+-]?\d+)?", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}([.,])\d{3}")


class Line(NamedTuple):
    """A row of a table, and the line of the file where it begins."""

    number: int
    cells: list[str]


def read_table(header: Line, lines: Iterable[Line], file: str, *, commas: bool) -> Rows:
    """The rows of `lines`. With `commas`, no comma ends a cell, so decimals may be written so."""
    columns, mistakes = _columns(header, file)
    missing = {column: "add this column" for column in REQUIRED if column not in columns}
    for group in ALTERNATIVES:
        if not any(column in columns for column in group):
            missing[group[0]] = f"add this column, or {instead_of(group[0])}"
    mistakes += [
        Mistake(file, header.number, column, f"is required; {advice}")
        for column, advice in missing.items()
    ]
    texts = [
        (number, {column: text for column, text in zip(columns, cells, strict=False) if column})
        for number, cells in lines
    ]
    if commas:
        mistakes += _ambiguous(texts, file)
        texts = [(number, _with_points(each)) for number, each in texts]
    if not texts:
        mistakes.append(Mistake(file, header.number, "", "there are no jobs below the header"))
    rows = tuple(
        Row(number, {column: Cell(text, number) for column, text in each.items()})
        for number, each in texts
    )
    return Rows(rows, tuple(mistakes), frozenset(missing))


def _columns(header: Line, file: str) -> tuple[list[str | None], list[Mistake]]:
    """The column of each position; None where the header is empty, or wrong beyond guessing."""
    columns: list[str | None] = []
    mistakes = []
    named = {column_named(name) for name in header.cells}
    for name in header.cells:
        column = column_named(name)
        if name and column is None:
            mistakes.append(Mistake(file, header.number, place(name), no_such_column(name)))
            meant = required_column_meant(name)
            column = meant if meant not in (*named, *columns) else None
        elif column in columns and column is not None:
            mistakes.append(Mistake(file, header.number, column, "stands twice in the header"))
            column = None
        columns.append(column)
    return columns, mistakes


def _with_points(texts: dict[str, str]) -> dict[str, str]:
    """Decimal commas in columns of one number as points."""
    return texts | {
        column: texts[column].replace(",", ".")
        for column in NUMERIC & texts.keys()
        if _DECIMAL_COMMA.fullmatch(texts[column])
    }


def _ambiguous(rows: Sequence[tuple[int, dict[str, str]]], file: str) -> list[Mistake]:
    """Numbers such as `1.000` in a sheet whose decimals have commas: 1, or a thousand.

    Likewise `1,000` where decimals have points. Which sign decimals have is known by other numbers.
    """
    numbers = [
        (line, column, texts[column])
        for line, texts in rows
        for column in NUMERIC & texts.keys()
        if texts[column]
    ]
    others = {
        ".": any(_DECIMAL_COMMA.fullmatch(text) for *_, text in numbers),
        ",": any(_DECIMAL_POINT.fullmatch(text) for *_, text in numbers),
    }
    mistakes = []
    for line, column, text in numbers:
        match = _THOUSANDS.fullmatch(text)
        if match and others[match[1]]:
            decimal = "," if match[1] == "." else "."
            whole = text.replace(match[1], "")
            one = text.partition(match[1])[0]
            reason = (
                f"{text} may be {whole} or {one}, for other decimals here have "
                f"'{decimal}'; write {whole} or {one}"
            )
            mistakes.append(Mistake(file, line, column, reason))
    return mistakes

"""CSV into rows of cells, as spreadsheets write it: `,` `;` or tab, quotes, unnamed columns."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from jobs.errors import Mistake, SheetError
from jobs.sheets.forms.cells import Rows, column_named
from jobs.sheets.forms.tables import MOST_COLUMNS, Line, read_table

SEPARATORS = ",;\t"

_EXCEL_HINT = re.compile(r'\A"?sep=([,;\t|])"?[ ,;\t]*(?=\n|\Z)', re.IGNORECASE)


def read_rows(text: str, file: str) -> Rows:
    """The rows below the header. SheetError where the file cannot be cut into cells."""
    separator, text = _separator(text)
    lines = _lines(text, separator, file)
    header = next(lines, Line(1, []))
    width = _cells_in(text, separator, header.number)
    below = list(lines)
    advice = f"put quotes around a text that holds {separator!r}"
    if separator != ",":
        advice = f"write lists with commas, as a,b; {advice}"
    too_long = [
        Mistake(
            file,
            line.number,
            "",
            f"has more cells than the header, which has {width}; {advice}",
        )
        for line in below
        if any(line.cells[width:])
    ]
    rows = read_table(header, below, file, commas=separator != ",")
    return replace(rows, mistakes=(*rows.mistakes, *too_long))


def _separator(text: str) -> tuple[str, str]:
    """The separator, and the text without Excel's hint but with as many lines."""
    if match := _EXCEL_HINT.match(text):
        return match[1], text[match.end() :]
    header = next((line for line in text.split("\n") if _is_header(line)), "")

    def known_columns(separator: str) -> tuple[int, int]:
        names = [name.strip(' "') for name in header.split(separator)]
        return sum(column_named(name) is not None for name in names), len(names)

    return max(SEPARATORS, key=known_columns), text


def _is_header(line: str) -> bool:
    return bool(line.strip(SEPARATORS + ' "')) and not line.lstrip(' "').startswith("#")


def _lines(text: str, separator: str, file: str) -> Iterator[Line]:
    """Rows that hold something, with the line in the file where each begins; no comments."""
    line, lines = 1, text.split("\n")
    for cells in _table(text, separator, file):
        stripped = [cell.strip() for cell in cells]
        if any(stripped) and not _is_comment(stripped, lines[line - 1]):
            yield Line(line, stripped)
        line += 1 + sum(cell.count("\n") for cell in cells)


def _is_comment(cells: Sequence[str], line: str) -> bool:
    """Whether a row begins with `#`; in quotes, a name such as `"#ff0000"` may.

    Spreadsheets put quotes around a remark that holds a separator: it stands alone in its row.
    """
    is_quoted = line.lstrip(" ").startswith('"')
    return cells[0].startswith("#") and not (is_quoted and any(cells[1:]))


def _table(text: str, separator: str, file: str) -> Sequence[Sequence[str]]:
    """All rows, blank ones too, equally long: empty text where a row is short."""
    import pandas as pd  # here, because it takes a quarter of a second

    width = _most_cells(text, separator)
    if width > MOST_COLUMNS:
        raise SheetError([Mistake(file, 1, "", f"has {width} columns; is it a sheet of jobs?")])
    try:
        frame = pd.read_csv(
            io.StringIO(text),
            sep=separator,
            header=None,
            names=range(width),
            index_col=False,
            dtype=str,
            na_filter=False,
            skip_blank_lines=False,
            skipinitialspace=True,
        )
    except pd.errors.ParserError as error:
        line = _unclosed_quote(text, separator)
        reason = 'a quote (") is opened here and never closed' if line else str(error)
        raise SheetError([Mistake(file, line or 1, "", reason)]) from error
    rows: list[list[str]] = frame.to_numpy().tolist()
    return rows


def _most_cells(text: str, separator: str) -> int:
    """At least as many as the longest row has, quoted line ends and separators considered."""
    unquoted = re.sub('"[^"]*"', "", text)
    lines = text.split("\n") + unquoted.split("\n")
    return max(line.count(separator) for line in lines) + 1


def _unclosed_quote(text: str, separator: str) -> int | None:
    """The line of the quote that is never closed."""
    position = 0
    for cell in _scan(text, separator, position):
        position = cell.end()
    return text.count("\n", 0, position) + 1 if position < len(text) else None


def _cells_in(text: str, separator: str, line: int) -> int:
    """How many cells the row that begins in `line` has."""
    start = sum(len(each) + 1 for each in text.split("\n", line - 1)[: line - 1])
    cells = 0
    for cell in _scan(text, separator, start):
        cells += 1
        if not cell[0].endswith(separator):
            break
    return cells


def _scan(text: str, separator: str, position: int) -> Iterator[re.Match[str]]:
    """Cell by cell, each with what ends it, up to a quote that is never closed."""
    s = re.escape(separator)
    cell = re.compile(rf' *(?:"(?:[^"]++|"")*+"[^{s}\n]*+|(?!")[^{s}\n]*+)(?:{s}|\n|\Z)')
    while position < len(text) and (match := cell.match(text, position)):
        yield match
        position = match.end()

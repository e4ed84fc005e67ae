"""CSV into rows of cells, as spreadsheets write it: `,` `;` or tab, quotes, unnamed columns."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from jobs.errors import Mistake, SheetError
from jobs.sheets.forms.cells import Rows, column_named
from jobs.sheets.forms.tables import MOST_COLUMNS, Line, read_table

SEPARATORS = ",;\t"

_END = "\0"  # a row of its own behind the last one, of what no text holds

_EXCEL_HINT = re.compile(r'\A"?sep=([,;\t|])"?[ ,;\t]*(?=\n|\Z)', re.IGNORECASE)


def read_rows(text: str, file: str) -> Rows:
    """The rows below the header. SheetError where the file cannot be cut into cells."""
    separator, text = _separator(text)
    lines = _lines(text, separator, file)
    header = next(lines, Line(1, []))
    width = len(header.cells)
    below = [Line(number, cells + [""] * (width - len(cells))) for number, cells in lines]
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
    lines = text.split("\n")
    for number, cells in _rows(text, separator, file):
        stripped = [cell.strip() for cell in cells]
        if any(stripped) and not _is_comment(stripped, lines[number - 1]):
            yield Line(number, stripped)


def _is_comment(cells: Sequence[str], line: str) -> bool:
    """Whether a row begins with `#`; in quotes, a name such as `"#ff0000"` may.

    Spreadsheets put quotes around a remark that holds a separator: it stands alone in its row.
    """
    is_quoted = line.lstrip(" ").startswith('"')
    return cells[0].startswith("#") and not (is_quoted and any(cells[1:]))


def _rows(text: str, separator: str, file: str) -> Iterator[Line]:
    """All rows, blank ones too."""
    lines = io.StringIO(f"{text}\n{_END}", newline="\n")
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    number = 1
    try:
        for cells in reader:
            if cells == [_END]:
                return
            if cells and cells[-1].endswith(_END):  # this cell reaches from its quote to the end
                number = reader.line_num - cells[-1].count("\n")
                raise _refusal(file, number, 'a quote (") is opened here and never closed')
            if len(cells) > MOST_COLUMNS:
                raise _refusal(file, number, f"has {len(cells)} columns; is it a sheet of jobs?")
            yield Line(number, cells)
            number = reader.line_num + 1
    except csv.Error as error:
        longest = f"holds a cell of more than {csv.field_size_limit()} characters"
        raise _refusal(file, number, f'{longest}; is a quote (") never closed?') from error


def _refusal(file: str, line: int, reason: str) -> SheetError:
    return SheetError([Mistake(file, line, "", reason)])

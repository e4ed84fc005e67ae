"""Workbooks (.xlsx) into rows of cells: what Excel, LibreOffice and Google Sheets save as they are.

The values are those that the program that saved the file has computed: formulas are not computed
here. Rows have the numbers that this program shows.
"""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

from jobs.errors import Mistake, SheetError
from jobs.reading import MOST_BYTES
from jobs.settings.parsing import LENGTHS
from jobs.settings.words import quoted
from jobs.sheets.forms.cells import Rows, column_named
from jobs.sheets.forms.tables import MOST_COLUMNS, Line, read_table
from jobs.sheets.forms.xlsx_times import TIMES, Time

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

MOST_ROWS = 100_000
LAST_ROW = 2**20  # of any worksheet; openpyxl fills up the rows before one with a larger number

# What stands where a formula failed; a remark begins with the same sign.
_FAILED = frozenset({
    "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA", "#SPILL!",
    "#CALC!", "#FIELD!", "#BLOCKED!", "#CONNECT!", "#BUSY!", "#UNKNOWN!",
})  # fmt: skip

_NOT_COMPUTED = "holds a formula whose value is not saved; open the workbook, save it and try again"
_A_DATE = (
    "holds a date or a time, which was made of what was typed; format the cell as text, type it "
    "again"
)


def is_workbook(content: bytes) -> bool:
    """Whether this is a workbook of the kind that is read, whatever the file is called."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as zipped:
            return "xl/workbook.xml" in zipped.namelist()
    except Exception:  # zipfile raises nearly anything on damaged files
        return False


def read_rows(content: bytes, file: str) -> Rows:
    """The rows below the header of the worksheet that has one. SheetError where none has."""
    try:
        _require_small(content, file)
        with warnings.catch_warnings(action="ignore"):  # about colours, filters and the like
            sheet = _sheet_of_jobs(_tables(content, file, with_values=True), file)
            formulas = _tables(content, file, with_values=False)[sheet.name]
    except SheetError:
        raise
    except Exception as error:  # openpyxl raises nearly anything on damaged files
        reason = f"is a workbook that cannot be read ({type(error).__name__}); save it anew"
        raise SheetError([Mistake(file, 1, "", reason)]) from error
    return sheet.rows(formulas, file)


class _Table(NamedTuple):
    """A worksheet: its rows that hold something, by their number, with openpyxl's values.

    Dates and times come with their formats.
    """

    name: str
    values: dict[int, Sequence[Any]]

    @property
    def lines(self) -> list[Line]:
        """The rows as texts, without remarks."""
        lines = (Line(n, [_text(value) for value in row]) for n, row in self.values.items())
        return [line for line in lines if any(line.cells) and not _is_remark(line.cells[0])]

    @property
    def has_jobs(self) -> bool:
        return any(column_named(name) for line in self.lines[:1] for name in line.cells)

    def rows(self, formulas: _Table, file: str) -> Rows:
        """What its jobs say, and what is wrong with single cells."""
        header, *below = self.lines
        rows = read_table(header, below, file, commas=True)
        mistakes = [
            Mistake(file, number, column, reason)
            for number, _ in below
            for column, reason in self._unfit(header, number, formulas)
        ]
        return replace(rows, mistakes=(*rows.mistakes, *mistakes))

    def _unfit(self, header: Line, number: int, formulas: _Table) -> Iterator[tuple[str, str]]:
        """Columns with a value that is no text or number, and why."""
        for name, value, formula in zip_longest(
            header.cells, self.values[number], formulas.values.get(number, ())
        ):
            column = column_named(name or "")
            if not column:
                continue
            if isinstance(value, Time):
                if column not in LENGTHS or value.length is None:
                    yield column, _A_DATE
            elif value is None and formula is not None:
                yield column, _NOT_COMPUTED
            elif str(value).startswith("#") and str(formula).startswith("="):
                yield column, f"holds a formula that failed ({value})"


def _sheet_of_jobs(tables: dict[str, _Table], file: str) -> _Table:
    having = [table for table in tables.values() if table.has_jobs]
    if len(having) == 1:
        return having[0]
    names = ", ".join(quoted(table.name) for table in having)
    reason = (
        f"has {len(having)} worksheets of jobs: {names}; hide all but one, or save that alone"
        if having
        else "has no worksheet with a header: a row with the names of columns, as name and dataset"
    )
    raise SheetError([Mistake(file, 1, "", reason)])


def _tables(content: bytes, file: str, *, with_values: bool) -> dict[str, _Table]:
    """Worksheets that are not hidden, by name: their values, or their formulas."""
    import openpyxl  # here, because few sheets are workbooks

    book: Workbook = openpyxl.load_workbook(
        io.BytesIO(content), read_only=True, data_only=with_values, keep_links=False
    )
    tables = {}
    for sheet in book.worksheets:
        if sheet.sheet_state == "visible":
            sheet.reset_dimensions()  # the size that the file states may be wrong
            kept = _kept([_value(cell) for cell in row] for row in sheet.iter_rows())
            if max(kept, default=0) > MOST_ROWS:
                reason = (
                    f"has something in row {max(kept)}; no sheet has more than {MOST_ROWS} rows"
                )
                raise SheetError([Mistake(file, max(kept), "", reason)])
            tables[sheet.title] = _Table(sheet.title, kept)
    book.close()
    return tables


def _kept(rows: Iterable[Sequence[Any]]) -> dict[int, Sequence[Any]]:
    """The rows that hold something, by number. ValueError beyond the last one of any worksheet."""
    kept = {}
    for number, row in enumerate(rows, start=1):
        if number > LAST_ROW:
            raise ValueError("a row behind the last one")
        if any(value is not None for value in row):
            kept[number] = row[:MOST_COLUMNS]
    return kept


def _value(cell: Any) -> object:
    return Time(cell.value, cell.number_format) if isinstance(cell.value, TIMES) else cell.value


def _is_remark(cell: str) -> bool:
    return cell.startswith("#") and cell not in _FAILED


def _text(value: object) -> str:
    """A value as somebody would have typed it into a CSV file."""
    if isinstance(value, Time):
        return value.length or str(value.value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return "" if value is None else str(value).strip()


def _require_small(content: bytes, file: str) -> None:
    """SheetError where its parts, decompressed, are more than a sheet may have."""
    with zipfile.ZipFile(io.BytesIO(content)) as zipped:
        size = sum(info.file_size for info in zipped.infolist())
    if size > MOST_BYTES:
        raise SheetError([Mistake(file, 1, "", f"has more than {MOST_BYTES} bytes, decompressed")])

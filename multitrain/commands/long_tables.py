"""Tables of thousands of rows, laid out as Rich does it, in a fraction of the time.

Rich takes about a millisecond for a row. It still draws the head and the foot, and wraps the few
cells that do not fit; the lines between are put together here, in its layout.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

from rich.cells import cell_len
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

LONG = 200  # rows: shorter tables are Rich's, with colours
LEAST_WIDTH = 8  # of a column that has to shrink, in cells of a terminal
ANY_WIDTH = 100_000  # of a terminal on which everything fits

_BLOCK = "█"
_BLOCKS = re.compile(f"{_BLOCK}+")


def show(console: Console, table: Table, *, markup: bool = True) -> None:
    """Print as `console.print` does; only short tables have `markup` and coloured numbers."""
    fitting = None if table.row_count <= LONG else _fitting(console, table)
    if fitting is None:
        console.print(table, highlight=markup, markup=markup)
        return
    above, below, around = _outline(console, table, fitting)
    body = _lines(_rows(table), table.columns, fitting, around, console)
    console.file.writelines(f"{line}\n" for part in (above, body, below) for line in part)


def _rows(table: Table) -> Iterable[tuple[str, ...]]:
    return zip(*(map(str, column.cells) for column in table.columns), strict=True)


def _fitting(console: Console, table: Table) -> list[int] | None:
    """The widths of the columns; None where the table is too wide."""
    widths = [
        max(map(_width, map(str, (column.header, column.footer, *column.cells))))
        for column in table.columns
    ]
    *_, around = _outline(console, table, [1] * len(widths))
    return shrunk(widths, console.width - sum(map(len, around)))


def shrunk(widths: Sequence[int], most: int) -> list[int] | None:
    """`widths` with the widest ones narrowed until their sum is at most `most`.

    None where a column would be too narrow to be read.
    """
    left = list(widths)
    while (excess := sum(left) - most) > 0:
        widest = max(left)
        if widest <= LEAST_WIDTH:
            return None
        next_one = max((each for each in left if each < widest), default=0)
        left[left.index(widest)] = max(widest - excess, min(next_one, widest - 1), LEAST_WIDTH)
    return left


def _width(cell: str) -> int:
    return len(cell) if cell.isascii() else cell_len(cell)


def _outline(
    console: Console, table: Table, widths: Sequence[int]
) -> tuple[list[str], list[str], list[str]]:
    """What Rich draws above the rows and below them, and around the cells of a row."""
    outline = Table(box=table.box, pad_edge=table.pad_edge, show_footer=table.show_footer)
    for column, width in zip(table.columns, widths, strict=True):
        justify = column.justify
        outline.add_column(column.header, column.footer, justify=justify, width=width)
    outline.add_row(*[_BLOCK * width for width in widths])
    with console.capture() as capture:
        console.print(outline, highlight=False, width=ANY_WIDTH)
    lines = capture.get().splitlines()
    row = next(number for number, line in enumerate(lines) if _BLOCK in line)
    return lines[:row], lines[row + 1 :], _BLOCKS.split(lines[row])


def _lines(
    rows: Iterable[tuple[str, ...]],
    columns: Sequence[Column],
    widths: Sequence[int],
    around: Sequence[str],
    console: Console,
) -> Iterator[str]:
    """The lines of all rows: cells padded to `widths`, with `around` before, between and behind."""
    rights = [column.justify == "right" for column in columns]
    frame = "{}".join(each.replace("{", "{{").replace("}", "}}") for each in around)
    pads = [
        f"{{:{'>' if right else '<'}{width}}}" for right, width in zip(rights, widths, strict=True)
    ]
    plain = frame.format(*pads)
    for row in rows:
        if all(_is_plain(cell, width) for cell, width in zip(row, widths, strict=True)):
            yield plain.format(*row)
            continue
        parts = [_folded(cell, width, console) for cell, width in zip(row, widths, strict=True)]
        for line in zip_longest(*parts, fillvalue=""):
            padded = zip(line, widths, rights, strict=True)
            yield frame.format(
                *(_padded(text, width, right=right) for text, width, right in padded)
            )


def _is_plain(cell: str, width: int) -> bool:
    """Whether `cell` fits into one line of `width`, each character taking one place."""
    return len(cell) <= width and cell.isascii() and cell.isprintable()


def _folded(cell: str, width: int, console: Console) -> list[str]:
    return [line.plain.rstrip() for line in Text(cell).wrap(console, width, overflow="fold")]


def _padded(text: str, width: int, *, right: bool) -> str:
    padding = " " * (width - cell_len(text))
    return padding + text if right else text + padding

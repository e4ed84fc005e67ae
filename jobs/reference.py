"""The reference of all columns: `python -m jobs.reference > docs/columns.md`."""

from __future__ import annotations

import sys

from pydantic_core import PydanticUndefined

from jobs.parsing import cell_text, expectation
from jobs.spec import COLUMNS

INTRODUCTION = """\
# Columns

Every column of a sheet, in CSV and YAML alike. Empty cells take the default; columns may stand in
any order; those without a name are ignored. This page is made from the code:
`python -m jobs.reference > docs/columns.md`.

| column | default | must be | meaning |
| --- | --- | --- | --- |
"""


def page() -> str:
    """The page as Markdown."""
    return INTRODUCTION + "".join(f"{row}\n" for row in map(_row, COLUMNS))


def _row(column: str) -> str:
    field = COLUMNS[column]
    expected = expectation(column)
    cells = (f"`{column}`", _default(field.default), expected, field.description or "")
    return f"| {' | '.join(cells)} |"


def _default(default: object) -> str:
    if default is PydanticUndefined:
        return "required"
    return f"`{cell_text(default)}`" if default is not None else "empty"


if __name__ == "__main__":
    sys.stdout.write(page())

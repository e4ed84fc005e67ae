"""What the readers of CSV and YAML have in common: rows of cells that know their lines."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from jobs.errors import NO_LINE, Mistake, SheetError
from jobs.reading import DamagedText, TooLong, read_bounded
from jobs.secrets import HIDDEN, seems_secret
from jobs.settings.parsing import parse_cells
from jobs.settings.spec import COLUMNS, GROUP_OF
from jobs.settings.words import LONGEST_QUOTE, most_like, nearest
from jobs.workspace.files import listing

REQUIRED = tuple(column for column, field in COLUMNS.items() if field.is_required())

_NEVER_IN_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_LINE_END = re.compile("\r\n?|\n")
MOST_SHEET_BYTES = 2**24
MOST_LINES = 200_000

_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # an OLE file ([MS-CFB], 2.2)
_SAVE_AS_TEXT = "save the sheet as CSV (UTF-8) or .xlsx and try again"


@dataclass(frozen=True)
class Cell:
    """Text as it stands in the file, and the line it stands in.

    `entries` are those of a list that was written in several lines, one for each layer. An
    `inherited` cell stands in a preset or among the defaults, not with the job itself.
    """

    text: str
    line: int
    entries: tuple[Cell, ...] = ()
    inherited: bool = False


@dataclass(frozen=True)
class Row:
    """One job: its cells by column, and the line where it begins."""

    line: int
    cells: Mapping[str, Cell]

    def texts(self) -> dict[str, str]:
        return {column: cell.text for column, cell in self.cells.items()}

    def line_of(self, column: str) -> int:
        """Where to look for a mistake in `column`: its cell, or the row where there is none."""
        if column not in self.cells:
            return self.line
        cell = self.cells[column]
        wrong = (each for each in cell.entries if column in parse_cells({column: each.text})[1])
        return next(wrong, cell).line


@dataclass(frozen=True)
class Rows:
    """A sheet before its cells are understood.

    `mistakes` are those of its form; `missing` are the required columns that they report missing.
    """

    rows: tuple[Row, ...]
    mistakes: tuple[Mistake, ...]
    missing: frozenset[str] = frozenset()


def column_named(text: str) -> str | None:
    """The column that a header or a key means: letter case and spaces around it do not matter."""
    name = text.strip().casefold()
    return name if name in COLUMNS else None


def no_such_column(text: str, also: Iterable[str] = ()) -> str:
    """The reason of a header or key that names no column, with the nearest name that may stand."""
    return f"there is no such column{nearest(text, [*COLUMNS, *also])}"


def required_column_meant(text: str, also: Iterable[str] = ()) -> str | None:
    """The column that `no_such_column` suggests, if it is required, or one of a group that is.

    One that is read so is not missing as well.
    """
    meant = most_like(text, [*COLUMNS, *also])
    return meant if meant in REQUIRED or meant in GROUP_OF else None


def place(text: str) -> str:
    """A header or key as a message can name it: on one line, short, printable, without secrets."""
    if seems_secret(text):
        return HIDDEN
    name = " ".join(text.split())[:LONGEST_QUOTE]
    return name if name.isprintable() else repr(name)


def read_content(path: Path) -> bytes:
    """The bytes of a sheet, also from a pipe; SheetError where they cannot be had."""
    meant = ""
    try:
        content = read_bounded(path, MOST_SHEET_BYTES)
    except TooLong as error:
        reason = f"has more than {MOST_SHEET_BYTES} bytes, which no sheet has"
        raise _refusal(path, 1, reason) from error
    except DamagedText as error:
        raise _refusal(path, NO_LINE, f"the sheet cannot be read: {error}") from error
    except FileNotFoundError as error:
        with suppress(OSError):  # a folder that nobody may look into
            meant = nearest(path.name, listing(path.parent))
        raise _refusal(path, NO_LINE, f"there is no such sheet{meant}") from error
    except OSError as error:
        reason = (error.strerror or str(error)).casefold()
        raise _refusal(path, NO_LINE, f"the sheet cannot be opened: {reason}") from error
    if content.startswith(_OLD_WORKBOOK):
        raise _refusal(path, 1, f"is a workbook of an old kind, or has a password; {_SAVE_AS_TEXT}")
    return content


def read_text(path: Path) -> str:
    """As `text_of`, from a file."""
    return text_of(read_content(path), path)


def text_of(content: bytes, path: Path) -> str:
    """The sheet with `\\n` line ends, from UTF-8, UTF-16 with its mark, or Windows' cp1252.

    SheetError where it is no text.
    """
    if content.startswith(b"PK\x03\x04"):
        raise _refusal(path, 1, f"is a workbook of another kind, or damaged; {_SAVE_AS_TEXT}")
    try:
        text = _decode(content)
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode(error.encoding)
        line = len(_LINE_END.findall(before)) + 1
        raise _refusal(path, line, f"is not text that can be read; {_SAVE_AS_TEXT}") from error
    text = _LINE_END.sub("\n", text)
    if match := _NEVER_IN_TEXT.search(text):
        line = text.count("\n", 0, match.start()) + 1
        raise _refusal(path, line, f"holds {match[0]!r}, which no text does; {_SAVE_AS_TEXT}")
    if text.count("\n") > MOST_LINES:
        raise _refusal(path, 1, f"has more than {MOST_LINES} lines, which no sheet has")
    if not text.strip():
        raise _refusal(path, 1, "the sheet is empty")
    return text


def _decode(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")


def _refusal(path: Path, line: int, reason: str) -> SheetError:
    return SheetError([Mistake(str(path), line, "", reason)])

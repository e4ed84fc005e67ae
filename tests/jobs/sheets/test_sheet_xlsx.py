"""Workbooks as sheets, as openpyxl, and by it spreadsheets, write them."""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from jobs.errors import SheetError
from jobs.sheets.forms import xlsx_cells
from jobs.sheets.sheet import Sheet, read_sheet
from jobs.workspace.paths import Workspace

HEADER = ("name", "dataset", "grid_width", "grid_height", "video_length")
ROW = ("a", "demo", 2, 2, 0.5)


def save(path: Path, *rows: Sequence[Any], **others: Sequence[Sequence[Any]]) -> None:
    book = openpyxl.Workbook()
    assert book.active
    for row in rows:
        book.active.append(row)
    for title, lines in others.items():
        sheet = book.create_sheet(title)
        for line in lines:
            sheet.append(line)
    book.save(path)


@pytest.fixture
def path(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(workspace.root)
    return Path("night.xlsx")


def read(path: Path) -> Sheet:
    return read_sheet(path, Workspace(Path.cwd()))


def mistakes(path: Path) -> list[str]:
    with pytest.raises(SheetError) as caught:
        read(path)
    return str(caught.value).splitlines()


@pytest.mark.parametrize("name", ["night.xlsx", "night.csv", "night"])
def test_a_workbook_is_read_by_whatever_name(path: Path, name: str) -> None:
    header = (*HEADER, "", "activation_g", "render_video", "seed", "learning_rate_g", "fps")
    save(
        path,
        header,
        (*ROW, "x", "elu,relu", False, 3.0, 0.0002, "30"),
        (),
        (None,),
        ("b", *ROW[1:]),
    )
    spec, other = (job.spec for job in read(path.rename(name)).jobs)
    assert (spec.name, spec.seed, spec.learning_rate_g, spec.fps) == ("a", 3, 0.0002, 30)
    assert (spec.video_length, spec.render_video) == (0.5, False)
    assert [str(each) for each in spec.activation_g] == ["elu", "relu"]
    assert other.name == "b"


def test_mistakes_name_the_row_as_the_program_counts_it(path: Path) -> None:
    save(path, (), ("# may",), HEADER, (), ("a", "demo", "two", 2, 1), ("#b",), ("c", "demo", 2, 2))
    assert mistakes(path) == [
        "night.xlsx:5: grid_width: must be a whole number of at least 1, not 'two'",
        "night.xlsx:7: video_length: is required and empty; steps or epochs would do, too",
    ]


def save_formatted(path: Path, column: str, value: Any, number_format: str) -> None:
    """A job with one more cell, which looks as its format tells."""
    book = openpyxl.Workbook()
    assert book.active
    others = dict(zip(HEADER, ROW, strict=True)) | {column: None}
    for row in (list(others), list(others.values())):
        book.active.append(row)
    cell = book.active.cell(2, list(others).index(column) + 1)
    cell.value, cell.number_format = value, number_format
    book.save(path)


@pytest.mark.parametrize(
    ("value", "number_format", "seconds"),
    [
        (datetime.time(0, 30), "h:mm", 30),
        (datetime.time(0, 30), "[$-409]h:mm;@", 30),
        (datetime.time(0, 30, 59), "h:mm", 30),
        (datetime.time(0, 30), "hh:mm:ss", 1800),
        (datetime.time(1, 2, 3), "h:mm:ss", 3723),
        (datetime.time(0, 0, 39, 500_000), "mmss.0", 39.5),
        (datetime.time(0, 0, 39, 600_000), "mm:ss", 40),
        (datetime.time(0, 5), 'h" h "mm\\ "min"', 300),
        (datetime.timedelta(minutes=90), "[h]:mm", 90),
        (datetime.timedelta(minutes=90), "[h]:mm:ss", 5400),
        (datetime.timedelta(minutes=90), "[mm]:ss", 5400),
        # As LibreOffice saves them: a share of a day with 15 digits, and the formats in capitals.
        (0.0208333333333333, "HH:MM:SS", 1800),
        (0.0208333333333333, "[HH]:MM:SS", 1800),
        (0.0208333333333333, "[$-407]HH:MM:SS", 1800),
        (0.0208333333333333, "HH:MM", 30),
        (0.000347222222222222, "[HH]:MM:SS", 30),
        (0.000457175925925926, "MM:SS.00", 39.5),
    ],
)
def test_lengths_are_read_as_they_look(
    path: Path,
    value: datetime.time | datetime.timedelta | float,
    number_format: str,
    seconds: float,
) -> None:
    for column, unit in (("video_length", 60), ("auto_render_period", 1)):
        save_formatted(path, column, value, number_format)
        (job,) = read(path).jobs
        assert getattr(job.spec, column) == pytest.approx(seconds / unit)


@pytest.mark.parametrize(
    ("column", "value", "number_format"),
    [
        ("name", datetime.date(2024, 3, 5), "d/m/yyyy"),
        ("name", datetime.time(0, 30), "h:mm"),
        ("video_length", datetime.date(2024, 3, 5), "d/m/yyyy"),
        ("video_length", datetime.datetime(2024, 3, 5, 0, 30), "h:mm"),
        ("video_length", datetime.time(0, 30), "h:mm AM/PM"),
        ("video_length", datetime.time(0, 30), "mm"),
        ("video_length", datetime.time(0, 30), "[$-F400]h:mm:ss"),
        ("fps", datetime.time(0, 30), "h:mm"),
    ],
)
def test_dates_and_other_times_are_told(
    path: Path, column: str, value: datetime.date | datetime.time, number_format: str
) -> None:
    save_formatted(path, column, value, number_format)
    assert mistakes(path) == [
        f"night.xlsx:2: {column}: holds a date or a time, which was made of what was typed; "
        "format the cell as text, type it again"
    ]


def test_values_of_formulas_are_used_and_those_that_are_not_there_told(path: Path) -> None:
    save(path, HEADER, ("a", "demo", "=1+1", 2, 1))
    assert mistakes(path)[0].startswith("night.xlsx:2: grid_width: holds a formula whose value is")
    with zipfile.ZipFile(path) as zipped:
        parts = {name: zipped.read(name) for name in zipped.namelist()}
    for value, cell in (("2", b"<v>2</v>"), ("#REF!", b"<v>#REF!</v>")):
        kind = b' t="e"' if value == "#REF!" else b""
        part = parts["xl/worksheets/sheet1.xml"]
        saved = part.replace(b"<f>1+1</f><v />", b"<f>1+1</f>" + cell).replace(
            b'<c r="C2">', b'<c r="C2"' + kind + b">"
        )
        assert saved != part
        with zipfile.ZipFile(path, "w") as zipped:
            for name, content in parts.items():
                zipped.writestr(name, saved if name.endswith("sheet1.xml") else content)
        if value == "2":
            assert read(path).jobs[0].spec.grid_width == 2
        else:
            assert mistakes(path)[0] == (
                "night.xlsx:2: grid_width: holds a formula that failed (#REF!)"
            )


def test_the_worksheet_with_jobs_is_read_and_several_are_told(path: Path) -> None:
    save(path, ("notes",), ("of may", 3), jobs=[HEADER, ROW], empty=[])
    assert [job.spec.name for job in read(path).jobs] == ["a"]
    save(path, HEADER, ROW, june=[HEADER, ROW])
    assert mistakes(path) == [
        "night.xlsx:1: has 2 worksheets of jobs: 'Sheet', 'june'; "
        "hide all but one, or save that alone"
    ]
    book = openpyxl.load_workbook(path)
    book["june"].sheet_state = "hidden"
    book.save(path)
    assert len(read(path).jobs) == 1
    save(path, ("notes",))
    assert mistakes(path)[0].startswith("night.xlsx:1: has no worksheet with a header")


def test_decimal_commas_in_texts_are_read_and_doubts_told(path: Path) -> None:
    save(path, (*HEADER, "fps"), ("a", "demo", 2, 2, "0,5", 30))
    assert read(path).jobs[0].spec.video_length == 0.5
    save(path, (*HEADER, "batch_size"), ("a", "demo", 2, 2, "0,5", "1.000"))
    assert mistakes(path)[0].startswith("night.xlsx:2: batch_size: 1.000 may be 1000 or 1")


def test_damaged_and_other_workbooks_are_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_cells, "MOST_BYTES", 2**19)
    save(path, HEADER, ROW)
    content = path.read_bytes()
    with zipfile.ZipFile(path) as zipped:
        parts = {name: zipped.read(name) for name in zipped.namelist()}

    def told(**changed: bytes) -> str:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
            for name, part in parts.items():
                key = Path(name).stem.strip("[]")
                zipped.writestr(name, changed.get(key, part))
        return mistakes(path)[0]

    assert "is a workbook that cannot be read" in told(sheet1=b"<worksheet>")
    assert "is a workbook that cannot be read" in told(workbook=b"none")
    assert "decompressed" in told(sheet1=bytes(2**20))
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    assert "is a workbook of an old kind, or has a password" in mistakes(path)[0]
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr("content.xml", "an .ods")
    assert "is a workbook of another kind, or damaged; save the sheet" in mistakes(path)[0]
    path.write_bytes(content[:-30])
    assert mistakes(path)[0].startswith("night.xlsx:1: is a workbook of another kind")


def test_cells_far_away_are_told(path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active
    for row in (HEADER, ROW):
        book.active.append(row)
    book.active["XFD120000"] = "x"
    saved = io.BytesIO()
    book.save(saved)
    path.write_bytes(saved.getvalue())
    assert mistakes(path)[0].startswith("night.xlsx:120000: has something in row 120000")


def test_a_row_that_no_worksheet_has_is_not_waited_for(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx_cells, "LAST_ROW", 1000)
    save(path, HEADER, ROW)
    alter(path, b'<row r="2"', b'<row r="9000000000000"')
    assert "is a workbook that cannot be read" in mistakes(path)[0]


def test_a_job_whose_name_is_a_failed_formula_is_no_remark(path: Path) -> None:
    save(path, HEADER, ROW, ("=Z1", *ROW[1:]))
    alter(path, b'<c r="A3"><f>Z1</f><v />', b'<c r="A3" t="e"><f>Z1</f><v>#REF!</v>')
    assert mistakes(path)[0] == "night.xlsx:3: name: holds a formula that failed (#REF!)"


def alter(path: Path, before: bytes, after: bytes) -> None:
    """In its first worksheet."""
    with zipfile.ZipFile(path) as zipped:
        parts = {name: zipped.read(name) for name in zipped.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    assert before in parts[sheet]
    parts[sheet] = parts[sheet].replace(before, after)
    with zipfile.ZipFile(path, "w") as zipped:
        for name, content in parts.items():
            zipped.writestr(name, content)

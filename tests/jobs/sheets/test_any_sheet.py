"""Whatever a sheet holds, it ends as jobs or as mistakes that say where."""

from __future__ import annotations

import json
import struct
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given

from benchmarks.sheets import JOBS, MISTAKES, check_mistakes, lines_in, main, outcome
from benchmarks.strange_sheets import StrangeSheet, make_data, strange_sheets
from jobs.errors import Mistake, SheetError
from jobs.sheets.sheet import read_sheet
from jobs.workspace.paths import Workspace

MakePictures = Callable[..., list[Path]]

HEADER = "name,dataset,grid_width,grid_height,video_length"
JOB = "dataset: demo, grid_width: 1, grid_height: 1, video_length: 1"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("strange"))
    make_data(workspace)
    return workspace


@given(strange_sheets())
def test_any_sheet_ends_as_jobs_or_as_mistakes_in_its_lines(
    data: Workspace, sheet: StrangeSheet
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert outcome(sheet.put(Path(folder)), data) in (JOBS, MISTAKES)


def mistakes(workspace: Workspace, content: str | bytes, ending: str = ".csv") -> list[str]:
    """Without the name of the file."""
    path = workspace.root / f"sheet{ending}"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SheetError) as caught:
        read_sheet(path, workspace)
    return [str(each).removeprefix(f"{path}:") for each in caught.value.mistakes]


def test_a_nul_in_the_name_of_a_folder_is_a_mistake(workspace: Workspace) -> None:
    text = (
        f"jobs:\n- {{{JOB.replace('demo', chr(34) + 'a' + chr(92) + '0b' + chr(34))}, name: a}}\n"
    )
    assert mistakes(workspace, text, ".yaml") == [
        "2: dataset: there is no folder 'a\\x00b' in data/"
    ]


@pytest.mark.parametrize("sign", ["\x85", "\u2028", "\u2029"])
def test_line_ends_that_only_yaml_sees_do_not_count(workspace: Workspace, sign: str) -> None:
    text = f"# one{sign}line\njobs:\n- {{{JOB}, name: '{sign} {sign}', seed: x}}\n"
    assert [each[:2] for each in mistakes(workspace, text, ".yaml")] == ["3:", "3:"]


def test_the_line_of_broken_utf_16_is_counted_in_characters(workspace: Workspace) -> None:
    content = "name\r\n\u0a0a\u0d0a\rnext".encode("utf-16") + b"\x00\xd8"
    assert mistakes(workspace, content)[0].startswith("3: is not text that can be read")


def test_signs_that_cannot_be_seen_are_spelt_in_messages(workspace: Workspace) -> None:
    told = mistakes(workspace, f"{HEADER},se\u202eed\na,demo,1,1,1,\n")
    assert told == [r"1: 'se\u202eed': there is no such column; did you mean 'seed'?"]
    told = mistakes(
        workspace, f"jobs:\n- {{{JOB}, name: a, '\u200bx': 1, '\u200by': {{}}}}\n", ".yaml"
    )
    assert told[0].startswith(r"2: '\u200bx': there is no such column")


def test_a_name_of_255_characters_is_a_mistake_that_says_what_fits(workspace: Workspace) -> None:
    told = mistakes(workspace, f"{HEADER}\n{'a' * 255},demo,1,1,1\n")
    assert told == ["2: name: is 255 bytes long; at most 120 fit"]


def png_header(width: int, height: int) -> bytes:
    """All that is read of a PNG before its pixels are (PNG specification, 5.2 and 11.2)."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    sum_of_header = struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + sum_of_header


def test_pictures_of_20_000_pixels_a_side_are_read_by_their_header(workspace: Workspace) -> None:
    folder = workspace.dataset("walls")
    folder.mkdir(parents=True)
    (folder / "wall.png").write_bytes(png_header(20_000, 20_000) + b"\0\0\0\0IDAT")
    told = mistakes(workspace, f"{HEADER}\na,walls,1,1,1\n")
    assert told == [
        "2: grid_width: the frame would be 20000x20000 pixels, more than ffmpeg reads; "
        "make the grid smaller"
    ]


def test_jpegs_that_break_off_in_their_header_are_left_out(
    workspace: Workspace, make_pictures: MakePictures
) -> None:
    folder = workspace.dataset("photos")
    (whole, *broken) = make_pictures(folder, count=3, size=(16, 12), suffix=".jpg")
    for path, length in zip(broken, (2, 30), strict=True):
        path.write_bytes(whole.read_bytes()[:length])
    sheet = workspace.root / "sheet.csv"
    sheet.write_text(f"{HEADER}\na,photos,1,1,1\n")
    (warning,) = read_sheet(sheet, workspace).warnings
    assert "2 files are left out" in warning
    assert all(path.name in warning for path in broken)


def test_lines_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    for text, lines in [("", 1), ("a", 1), ("a\n", 1), ("a\r\nb\rc", 3), ("\n\n", 2)]:
        path.write_bytes(text.encode("utf-16"))
        assert lines_in(path) == lines
        path.write_bytes(text.encode())
        assert lines_in(path) == lines


@pytest.mark.parametrize(
    "mistake",
    [
        Mistake("sheet.csv", 0, "", "is wrong"),
        Mistake("sheet.csv", 3, "", "is wrong"),
        Mistake("sheet.csv", 1, "a\nb", "is wrong"),
        Mistake("sheet.csv", 1, "", "\x1b[31m is wrong"),
    ],
)
def test_a_mistake_without_its_place_or_in_several_lines_would_be_noticed(mistake: Mistake) -> None:
    check_mistakes([Mistake("sheet.csv", 2, "name", "is wrong")], lines=2)
    with pytest.raises(AssertionError):
        check_mistakes([mistake], lines=2)


def test_the_benchmark_prints_its_table_and_says_where_it_ran(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "results.json"
    main(["--sheets", "30", "--seed", "1", "--json", str(saved)])
    assert "| end as anything else" in capsys.readouterr().out
    results = json.loads(saved.read_text())
    assert results["endings"].keys() == {JOBS, MISTAKES}
    assert sum(results["endings"].values()) == 30
    assert "Python" in results["machine"]

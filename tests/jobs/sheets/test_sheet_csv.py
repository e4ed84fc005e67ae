"""CSV sheets as people and spreadsheets write them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from jobs.errors import SheetError
from jobs.settings.choices import Activation
from jobs.sheets.sheet import read_sheet
from jobs.workspace.paths import Workspace
from tests.jobs.sheets.csv_sheets import HEADER, ReadText, mistakes, names

if TYPE_CHECKING:
    from tests.conftest import MakePictures


PSYCHONAUTS_HEADER = (
    "name,dataset,grid_width,grid_height,nbr_of_layers_g,nbr_of_layers_d,batch_norm_d,"
    "batch_norm_g,activation_g,activation_d,learning_rate_d,beta1_d,learning_rate_g,beta1_g,"
    "nbr_g_updates,nbr_d_updates,,video_length,auto_render_period,render_res"
)


def test_the_seeds_own_header_with_empty_cells_on_a_folder_of_jpegs(
    read: ReadText, workspace: Workspace, make_pictures: MakePictures
) -> None:
    make_pictures(workspace.dataset("faces"), 9, (160, 90), ".jpg")
    sheet = read(f"{PSYCHONAUTS_HEADER}\nnight,faces,3,3,,,,,,,,,,,,,,0.5,,\n")
    (job,) = sheet.jobs
    assert (job.image_width, job.image_height) == (160, 90)
    assert job.plan.frames_total == 1800
    assert job.spec.model_dump(exclude_defaults=True).keys() == set(HEADER.split(","))
    assert sheet.warnings == ()


def test_jobs_keep_the_order_of_their_rows(read: ReadText) -> None:
    assert names(read(f"{HEADER}\nb,demo,1,1,1\na,demo,1,1,1\n")) == ["b", "a"]


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode("utf-8"),
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
        lambda text: text.encode("cp1252"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: text.rstrip("\n").encode(),
        lambda text: text.replace(",", ";").encode(),
        lambda text: text.replace(",", "\t").encode(),
        lambda text: ("sep=,\n" + text).encode(),
        lambda text: ("sep=;\r\n" + text.replace(",", ";")).encode("utf-8-sig"),
        lambda text: text.replace(",", " , ").encode(),
        lambda text: text.replace("\n", ",,\n").encode(),
        lambda text: ("\n,,,\n" + text).encode(),
        lambda text: text.replace("name", '"Name "').replace("grid", "GRID").encode(),
    ],
)
def test_what_spreadsheets_make_of_a_table_is_read(
    read: ReadText, encode: Callable[[str], bytes]
) -> None:
    sheet = read(encode(f"{HEADER}\nété,demo,2,3,1.5\nzwei,demo,1,1,1\n"))
    assert names(sheet) == ["été", "zwei"]
    assert (sheet.jobs[0].spec.grid_height, sheet.jobs[0].spec.video_length) == (3, 1.5)


def test_decimal_commas_are_read_where_the_comma_separates_nothing(read: ReadText) -> None:
    header = "name;dataset;grid_width;grid_height;video_length;learning_rate_g;activation_g"
    spec = read(f"{header}\na;demo;1;1;0,5;2,5e-4;relu,tanh\n").jobs[0].spec
    assert (spec.video_length, spec.learning_rate_g) == (0.5, 0.00025)
    assert spec.activation_g == (Activation("relu"), Activation("tanh"))


def test_quoted_lists_blank_rows_comments_and_unnamed_columns(read: ReadText) -> None:
    text = (
        f'# my night\n\n{HEADER},,activation_g\na,demo,1,1,1,note, "relu, elu"\n,,,,,,\n# b,x\n\n'
    )
    sheet = read(text)
    assert names(sheet) == ["a"]
    assert sheet.jobs[0].spec.activation_g == (Activation("relu"), Activation("elu"))


def test_short_rows_have_empty_cells_at_the_end(read: ReadText) -> None:
    assert read(f"{HEADER},fps,seed\na,demo,1,1,1\n").jobs[0].spec.fps == 60
    assert mistakes(read, f"{HEADER}\na,demo,1\n") == [
        "sheet.csv:2: grid_height: is required and empty",
        "sheet.csv:2: video_length: is required and empty; steps or epochs would do, too",
    ]


def test_lines_are_those_of_the_file_whatever_stands_between(read: ReadText) -> None:
    text = (
        f'\n{HEADER},\na,demo,1,1,1,"two\nlines, ""quoted"""\n\n,,\n#\nb,demo,x,1,1\nc,demo,1,y,1'
    )
    assert mistakes(read, text) == [
        "sheet.csv:8: grid_width: must be a whole number of at least 1, not 'x'",
        "sheet.csv:9: grid_height: must be a whole number of at least 1, not 'y'",
    ]
    with_carriage_returns = text.replace("\n", "\r\n")
    assert mistakes(read, with_carriage_returns) == mistakes(read, text)


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines(read: ReadText) -> None:
    text = f"{HEADER},fpz\na,demoo,three,3,1,\nA,demo,1,1,0.00001,\n-b,../x,30,30,1,\n"
    assert mistakes(read, text) == [
        "sheet.csv:1: fpz: there is no such column; did you mean 'fps'?",
        "sheet.csv:2: dataset: there is no folder 'demoo' in data/; did you mean 'demo'?",
        "sheet.csv:2: grid_width: must be a whole number of at least 1, not 'three'",
        "sheet.csv:3: name: is taken by line 2; names must be unique",
        "sheet.csv:3: video_length: 1e-05 minutes at 60 fps are less than one frame",
        "sheet.csv:4: name: must not begin with '.', '-' or '~' nor end with '.' or a space",
        "sheet.csv:4: dataset: '../x' must be a folder under data/, or a whole path, without '..'",
    ]


def test_a_wrong_cell_hides_no_mistake_that_it_has_nothing_to_do_with(read: ReadText) -> None:
    text = f"{HEADER},render_res,learning_rate_g\na,demo,2,2,0.00001,100x54,much\n"
    told = [line.split(": ")[1] for line in mistakes(read, text)]
    assert told == ["video_length", "learning_rate_g", "render_res"]


def test_a_wrong_cell_causes_no_mistakes_elsewhere(read: ReadText) -> None:
    header = f"{HEADER},render_res,fps"
    text = f"{header}\na,demo,x,2,1,384x54,\nb,none,2,2,1,7x7,\nc,demo,1,1,0.0001,,fast\n"
    told = [line.split(": ")[1] for line in mistakes(read, text)]
    assert told == ["grid_width", "dataset", "fps"]


def test_missing_columns_are_told_once_at_the_header(read: ReadText) -> None:
    assert mistakes(read, "\nname,dataset,grid_width\na,demo,1\nb,demo,1\n") == [
        "sheet.csv:2: grid_height: is required; add this column",
        "sheet.csv:2: video_length: is required; add this column, or steps or epochs",
    ]


def test_a_column_may_stand_once(read: ReadText) -> None:
    assert mistakes(read, f"{HEADER}, Name\na,demo,1,1,1,b\n") == [
        "sheet.csv:1: name: stands twice in the header"
    ]


def test_cells_beyond_the_header_are_a_mistake_unless_empty(read: ReadText) -> None:
    assert names(read(f"{HEADER}\na,demo,1,1,1,,,\n")) == ["a"]
    (line,) = mistakes(read, f"{HEADER}\na,demo,1,1,1\nb,faces,demo,1,1,1\n")[:1]
    assert line.startswith("sheet.csv:3: has more cells than the header, which has 5; put quotes")


@pytest.mark.parametrize(
    ("content", "mistake"),
    [
        (b"", "1: the sheet is empty"),
        (b"\xef\xbb\xbf\r\n \r\n", "1: the sheet is empty"),
        (HEADER.encode(), "1: there are no jobs below the header"),
        (
            b"PK\x03\x04\x14\x00",
            "1: is a workbook of another kind, or damaged; save the sheet as CSV (UTF-8)",
        ),
        (b"\x89PNG\r\n\x1a\n\x00", "2: holds '\\x1a', which no text does"),
        (b"name\nb\x00", "2: holds '\\x00', which no text does"),
        (b"\xff\xfea", "1: is not text that can be read"),
        (b"name\n\x81\x8d", "2: is not text that can be read"),
        (f'{HEADER}\na,demo\n\nb,"demo,1\nc\n'.encode(), '4: a quote (") is opened here and never'),
        (b"," * 5000, "1: has 5001 columns; is it a sheet of jobs?"),
    ],
)
def test_what_is_no_table_is_one_clear_mistake(
    read: ReadText, content: bytes, mistake: str
) -> None:
    (line,) = mistakes(read, content)
    assert line.startswith(f"sheet.csv:{mistake}")


def test_sheets_that_cannot_be_opened(workspace: Workspace) -> None:
    (workspace.root / "night.csv").touch()
    for path, reason in (
        (workspace.root / "nigth.csv", "there is no such sheet; did you mean 'night.csv'?"),
        (workspace.root / "none" / "a.csv", "there is no such sheet"),
        (workspace.root, "the sheet cannot be opened: is a directory"),
    ):
        with pytest.raises(SheetError) as caught:
            read_sheet(path, workspace)
        assert str(caught.value) == f"{path}: {reason}"


def test_a_required_column_that_is_mistyped_is_one_mistake(read: ReadText) -> None:
    text = "name,dataset,grid width,grid_height,Grid-Height,video_length\na,demo,x,1,1,1\n"
    assert mistakes(read, text) == [
        "sheet.csv:1: grid width: there is no such column; did you mean 'grid_width'?",
        "sheet.csv:1: Grid-Height: there is no such column; did you mean 'grid_height'?",
        "sheet.csv:2: grid_width: must be a whole number of at least 1, not 'x'",
    ]


def test_lists_have_commas_whatever_separates_cells(read: ReadText) -> None:
    header = f"{HEADER},activation_g".replace(",", ";")
    (job,) = read(f"{header}\na;demo;1;1;0,5;elu,relu\n").jobs
    assert [str(each) for each in job.spec.activation_g] == ["elu", "relu"]
    (told,) = mistakes(read, f"{header}\na;demo;1;1;1;elu;relu\n")
    assert told.endswith("write lists with commas, as a,b; put quotes around a text that holds ';'")
    (told,) = mistakes(read, f'{header}\na;demo;1;1;1;"elu;relu"\n')
    assert told.endswith("not 'elu;relu'; write lists with commas, as a,b")


def test_names_are_unique_whatever_their_case_and_accents(read: ReadText) -> None:
    text = f"{HEADER}\nÉté,demo,1,1,1\nb,demo,1,1,1\ne\u0301te\u0301,demo,1,1,1\n"
    assert mistakes(read, text) == ["sheet.csv:4: name: is taken by line 2; names must be unique"]


def test_reading_a_sheet_imports_no_tensorflow(workspace: Workspace) -> None:
    (workspace.root / "s.csv").write_text(f"{HEADER}\na,demo,1,1,1\n")
    code = (
        "import sys; from pathlib import Path; from jobs.sheets.sheet import read_sheet; "
        "from jobs.workspace.paths import Workspace; read_sheet(Path('s.csv'), Workspace(Path())); "
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=workspace.root, check=True)


@pytest.mark.parametrize(
    ("sheet", "expected"),
    [
        (f'{HEADER}\n"#ff0000",demo,1,1,1\nb,demo,1,1,1\n', ["#ff0000", "b"]),
        (f"{HEADER}\n#ff0000,demo,1,1,1\nb,demo,1,1,1\n", ["b"]),
        (f'{HEADER}\n"# may, and June",,,,\nb,demo,1,1,1\n', ["b"]),
        (f'"# may, and June"\n{HEADER}\nb,demo,1,1,1\n', ["b"]),
        (f'{HEADER}\n"#a\nb",,,,\n  "#c",demo,1,1,1\n', ["#c"]),
    ],
)
def test_a_number_sign_in_quotes_begins_a_name_unless_it_stands_alone(
    read: ReadText, sheet: str, expected: list[str]
) -> None:
    assert names(read(sheet)) == expected


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ("1.000;0,5", "z_dim: 1.000 may be 1000 or 1, for other decimals here have ','"),
        ("1,000;0.5", "z_dim: 1,000 may be 1000 or 1, for other decimals here have '.'"),
        ("1.000;1,500", "z_dim: 1.000 may be 1000 or 1"),
        ("1.000;0.5", None),
        ("1000;0,5", None),
        ("64;0,125", None),
        ("1,000;1", None),
    ],
)
def test_a_number_that_may_be_a_thousand_is_told(
    read: ReadText, cells: str, told: str | None
) -> None:
    sheet = f"{HEADER};z_dim;learning_rate_g\na;demo;1;1;1;{cells}\n".replace(
        HEADER, HEADER.replace(",", ";")
    )
    if told is None:
        assert names(read(sheet)) == ["a"]
    else:
        assert any(each.startswith(f"sheet.csv:2: {told}") for each in mistakes(read, sheet))

"""Which pictures a sheet may name."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from jobs.pictures import folders
from jobs.workspace.paths import Workspace
from tests.jobs.sheets.csv_sheets import HEADER, ReadText, mistakes

if TYPE_CHECKING:
    from tests.conftest import MakePictures


def test_data_sets_must_be_folders_of_pictures_below_data(
    read: ReadText, workspace: Workspace, make_pictures: MakePictures
) -> None:
    make_pictures(workspace.dataset("faces/small"), 4)
    workspace.dataset("empty").mkdir()
    workspace.dataset("file").touch()
    rows = ["face", "faces/smal", "../etc", "empty", "file", "x" * 300, '"faces,emty"']
    text = HEADER + "".join(f"\nj{n},{row},1,1,1" for n, row in enumerate(rows))
    assert mistakes(read, text)[:5] == [
        "sheet.csv:2: dataset: there is no folder 'face' in data/; did you mean 'faces'?",
        "sheet.csv:3: dataset: there is no folder 'faces/smal' in data/; "
        "did you mean 'faces/small'?",
        "sheet.csv:4: dataset: '../etc' must be a folder under data/, or a whole path, "
        "without '..'",
        "sheet.csv:5: dataset: holds no pictures (jpg, png, webp, avif, heic, bmp, tif, dpx) "
        "and no videos",
        "sheet.csv:6: dataset: 'file' is a file; name a folder that holds the pictures, or a video",
    ]
    assert mistakes(read, text)[6].endswith("no folder 'emty' in data/; did you mean 'empty'?")


def test_pictures_of_several_sizes_are_a_mistake_that_names_the_odd_ones(
    read: ReadText, workspace: Workspace, make_pictures: MakePictures
) -> None:
    make_pictures(workspace.dataset("faces"), 5, (16, 12))
    make_pictures(workspace.dataset("cats"), 1, (12, 16))
    assert mistakes(read, f'{HEADER}\na,"faces,cats",1,1,1\n') == [
        "sheet.csv:2: dataset: all pictures must have one size: 5 are 16x12, "
        "but cats/picture_000.png (12x16); set preprocess to cover and load_size to 16x12, "
        "or make a data set of one size: multitrain dataset convert data/faces data/cats "
        "faces-cats-16x12 --preprocess cover --load-size 16x12"
    ]


def test_unreadable_pictures_are_a_warning_and_all_of_them_a_mistake(
    read: ReadText, workspace: Workspace, make_pictures: MakePictures
) -> None:
    make_pictures(workspace.dataset("faces"), 4)
    (workspace.dataset("faces") / "x.jpg").write_text("none")
    sheet = read(f"{HEADER}\na,faces,2,2,1\nb,faces,1,1,1\n")
    assert sheet.warnings == (
        "sheet.csv: dataset faces: 1 file is left out: faces/x.jpg (is not a picture)",
    )
    workspace.dataset("bad").mkdir()
    (workspace.dataset("bad") / "x.jpg").write_text("none")
    assert mistakes(read, f"{HEADER}\na,bad,2,2,1\n") == [
        "sheet.csv:2: dataset: holds no picture that can be read: bad/x.jpg (is not a picture)"
    ]


def test_a_batch_needs_as_many_pictures(
    read: ReadText, workspace: Workspace, make_pictures: MakePictures
) -> None:
    make_pictures(workspace.dataset("faces"), 4)
    read(f"{HEADER},batch_size\na,faces,2,2,1,\nb,faces,3,3,1,4\n")
    assert mistakes(read, f"{HEADER},batch_size\na,faces,5,1,1,\nb,faces,1,1,1,5\n") == [
        "sheet.csv:2: dataset: holds 4 pictures, fewer than a batch of 5 (5 x 1 samples); "
        "add pictures or set batch_size",
        "sheet.csv:3: dataset: holds 4 pictures, fewer than a batch of 5 (batch_size); "
        "add pictures or set batch_size",
    ]


def test_the_demo_needs_no_folder_and_gives_way_to_the_users(
    read: ReadText, workspace: Workspace, make_pictures: MakePictures
) -> None:
    text = f"{HEADER}\na,demo,20,20,1\n"
    (job,) = read(text).jobs
    assert (job.image_width, job.image_height) == (96, 54)
    assert not workspace.data.exists()
    make_pictures(workspace.dataset("demo"), 2, (8, 8))
    assert "holds 2 pictures, fewer than a batch of 400" in mistakes(read, text)[0]


def test_five_thousand_rows_look_at_their_pictures_once(
    read: ReadText, monkeypatch: pytest.MonkeyPatch
) -> None:
    survey = Mock(wraps=folders.survey)
    monkeypatch.setattr(folders, "survey", survey)
    rows = "".join(f"j{n},demo,4,4,0.5,192x108,{n}\n" for n in range(5000))
    sheet = read(f"{HEADER},render_res,seed\n{rows}")
    assert [job.spec.seed for job in sheet.jobs] == list(range(5000))
    assert survey.call_count == 1

"""Frames, boxes and batches that a sheet may ask for, and what it takes to send films."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jobs.errors import SheetError
from jobs.sheets.sheet import read_sheet
from jobs.workspace.paths import Workspace
from tests.jobs.sheets.csv_sheets import HEADER, ReadText, mistakes

if TYPE_CHECKING:
    from tests.conftest import MakePictures


@pytest.mark.parametrize("box", ["384x216", "192x54", "96x216", "96x54"])
def test_boxes_that_divide_the_grid_are_taken(read: ReadText, box: str) -> None:
    assert read(f"{HEADER},render_res\na,demo,4,4,1,{box}\n").jobs[0].plan.box_width


@pytest.mark.parametrize("box", ["383x216", "288x54", "48x54", "768x432", "192x100"])
def test_boxes_that_do_not_divide_it_are_a_mistake_with_advice(read: ReadText, box: str) -> None:
    (line,) = mistakes(read, f"{HEADER},render_res\na,demo,4,4,1,{box}\n")
    assert f"render_res: {box} does not cut the frame of 384x216 (4 x 4 samples of 96x54)" in line
    advised = line.partition("whole samples; ")[2].removesuffix(" would").split(", ")
    assert len(advised) == 4
    rows = "".join(f"\nj{n},demo,4,4,1,{each}" for n, each in enumerate(advised))
    assert len(read(f"{HEADER},render_res{rows}").jobs) == 4


def test_videos_have_a_largest_size_and_images_have_not(read: ReadText) -> None:
    header = f"{HEADER},batch_size,render_res,render_video"
    read(f"{header}\na,demo,171,1,1,1,96x54,\nb,demo,171,1,1,1,,no\nc,demo,170,1,1,1,,\n")
    told = mistakes(read, f"{header}\na,demo,171,1,1,1,,\nb,demo,342,1,1,1,16416x54,\n")
    assert "grid_width: the frame would be 16416x54 pixels, and video has at most 16384" in told[0]
    assert "render_res: a box would be 16416x54 pixels" in told[1]


def test_absurd_grids_are_mistakes_too(read: ReadText) -> None:
    cells = f"{10**9},{10**9},1,1,96x54"
    (line,) = mistakes(read, f"{HEADER},batch_size,render_res\na,demo,{cells}\n")
    assert "more than ffmpeg reads" in line


def test_more_boxes_than_names_have_room_for_are_refused_with_what_would_do(
    read: ReadText, workspace: Workspace, make_pictures: MakePictures
) -> None:
    make_pictures(workspace.dataset("dots"), 1, (2, 2))
    cells = "101,99,0.02,1"
    (line,) = mistakes(read, f"{HEADER},batch_size,render_res\na,dots,101,100,0.02,1,2x2\n")
    assert (
        "render_res: 2x2 cuts the frame of 202x200 into 10100 boxes, a video each; 9999 are the "
        "most, and 2x4 would make 5050"
    ) in line
    assert read(f"{HEADER},batch_size,render_res\na,dots,{cells},2x2\n").jobs[0].plan.boxes


def test_uploading_needs_a_server(read: ReadText, workspace: Workspace) -> None:
    text = f"{HEADER},upload_to_ftp\na,demo,1,1,1,True\n"
    (line,) = mistakes(read, text)
    assert "upload_to_ftp: needs the server's settings in" in line
    workspace.ftp_settings.touch()
    assert read(text).jobs[0].spec.upload_to_ftp


def test_a_batch_that_gpus_cannot_share_out_is_told(workspace: Workspace) -> None:
    sheet = workspace.root / "sheet.csv"
    sheet.write_text(
        "name,dataset,grid_width,grid_height,video_length,gpus,batch_size\n"
        "odd,demo,3,3,1,2,\n"
        "even,demo,3,3,1,2,10\n"
    )
    with pytest.raises(SheetError) as caught:
        read_sheet(sheet, workspace)
    (mistake,) = caught.value.mistakes
    assert (mistake.line, mistake.column) == (2, "gpus")
    assert "a batch of 9 pictures" in mistake.reason


def test_replicas_that_xla_cannot_compile_are_told(read: ReadText) -> None:
    header = f"{HEADER},batch_size,gpus,jit,engine\n"
    row = "demo,3,3,0.1,8,2"

    with pytest.raises(SheetError) as told:
        read(f"{header}a,{row},on,tensorflow\nb,{row},auto,tensorflow\nc,{row},on,jax\n")

    [mistake] = told.value.mistakes
    assert (mistake.line, mistake.column) == (2, "jit")
    assert "2 gpus" in mistake.reason

"""Pictures that do not lie below data/: `--data`, and whole paths in the column."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from jobs.errors import SheetError
from jobs.sheets.sheet import Sheet, read_sheet
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.commands.cli import commands

if TYPE_CHECKING:
    from tests.conftest import MakePictures

HEADER = "name,dataset,grid_width,grid_height,video_length"


def read(workspace: Workspace, dataset: str) -> Sheet:
    sheet = workspace.root / "s.csv"
    sheet.write_text(f'{HEADER}\na,"{dataset}",1,1,1\n')
    return read_sheet(sheet, workspace)


def reason(workspace: Workspace, dataset: str) -> str:
    with pytest.raises(SheetError) as caught:
        read(workspace, dataset)
    return str(caught.value).partition("dataset: ")[2]


def test_a_whole_path_stands_in_the_column(
    workspace: Workspace, make_pictures: MakePictures, tmp_path: Path
) -> None:
    make_pictures(tmp_path / "far" / "waves", 3, (8, 6))
    make_pictures(workspace.dataset("near"), 2, (8, 6))
    (job,) = read(workspace, f"{tmp_path}/far/waves/*2,near").jobs
    assert job.spec.folders == (f"{tmp_path}/far/waves", "near")
    assert job.spec.weights == (2, 1)
    assert (job.image_width, job.image_height) == (8, 6)
    paths = workspace.job("a")
    paths.run.mkdir(parents=True)
    job.save(paths)
    assert JobFile.load(paths) == job
    told = reason(workspace, f"{tmp_path}/far/wave")
    assert told.startswith("there is no folder '")
    assert told.endswith(f"; did you mean '{tmp_path}/far/waves'?")
    assert "without '..'" in reason(workspace, f"{tmp_path}/far/../far/waves")


def test_with_another_place_for_data_sets_jobs_hold_whole_paths(
    workspace: Workspace, make_pictures: MakePictures, tmp_path: Path
) -> None:
    far = tmp_path / "far"
    make_pictures(far / "waves", 3, (8, 6))
    (job,) = read(Workspace(workspace.root, far), "waves").jobs
    assert job.spec.folders == (f"{far}/waves",)
    assert read(workspace, f"{far}/waves").jobs == (job,)
    assert read(Workspace(workspace.root, far), "demo").jobs[0].spec.folders == ("demo",)
    assert "without '..'" in reason(Workspace(workspace.root, far), "../far/waves")
    assert "there is no folder" in reason(workspace, "waves")


def test_the_option_of_commands(
    workspace: Workspace, make_pictures: MakePictures, tmp_path: Path
) -> None:
    make_pictures(tmp_path / "far" / "waves", 3, (8, 6))
    sheet = workspace.root / "s.csv"
    sheet.write_text(f"{HEADER},family\na,waves,1,1,0.01,testcard\n")
    options = ["--data", f"{tmp_path}/far/../far", "--workspace", str(workspace.root)]
    for call in (["check", str(sheet)], ["show", str(sheet), "a"]):
        told = CliRunner().invoke(commands, [*call, *options])
        assert told.exit_code == 0, told.output
    assert f"{tmp_path}/far/waves" in told.output
    (tmp_path / "a,b").mkdir()
    told = CliRunner().invoke(commands, ["check", str(sheet), "--data", f"{tmp_path}/a,b"])
    assert told.exit_code == 2
    assert "make a link to it" in told.output


def test_a_video_that_is_none_is_told_by_its_name(workspace: Workspace) -> None:
    workspace.data.mkdir(exist_ok=True)
    (workspace.data / "my clip.MP4").touch()
    told = reason(workspace, "my clip.MP4")
    assert told == "holds no picture that can be read: my clip.MP4 (is empty)"

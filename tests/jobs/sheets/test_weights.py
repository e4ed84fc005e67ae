"""Several data sets in a job, drawn as often as their weights say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.errors import SheetError
from jobs.settings.kinds import Folder
from jobs.settings.parsing import parse_cells
from jobs.settings.spec import JobSpec
from jobs.sheets.sheet import read_sheet
from jobs.workspace.paths import Workspace

MakePictures = Callable[..., list[Path]]

ROW = {"name": "a", "grid_width": "1", "grid_height": "1", "video_length": "1"}


def spec(dataset: str) -> JobSpec:
    parsed, reasons = parse_cells(ROW | {"dataset": dataset})
    assert parsed, reasons
    return parsed


def test_a_weight_stands_behind_its_folder() -> None:
    mixed = spec("landscapes*4, ./faces/ * 2,cats")

    assert mixed.dataset == (Folder("landscapes", 4), Folder("faces", 2), Folder("cats"))
    assert mixed.folders == ("landscapes", "faces", "cats")
    assert mixed.weights == (4, 2, 1)
    assert JobSpec.model_validate(mixed.model_dump(mode="json")) == mixed


def test_without_weights_there_are_none() -> None:
    assert spec("landscapes,faces").weights is None


@pytest.mark.parametrize("weight", ["0", "1001", "99999999999"])
def test_weights_have_bounds(weight: str) -> None:
    _, reasons = parse_cells(ROW | {"dataset": f"faces*{weight}"})

    assert reasons == {"dataset": f"'faces*{weight}': a weight must be from 1 to 1000"}


def check(workspace: Workspace, dataset: str) -> list[str]:
    sheet = workspace.root / "sheet.csv"
    sheet.write_text(f'name,dataset,grid_width,grid_height,video_length\na,"{dataset}",1,1,1\n')
    try:
        read_sheet(sheet, workspace)
    except SheetError as error:
        return [each.reason for each in error.mistakes]
    return []


def test_each_folder_must_hold_pictures_of_the_same_size(
    workspace: Workspace, make_pictures: MakePictures
) -> None:
    make_pictures(workspace.dataset("many"), count=5)
    make_pictures(workspace.dataset("few"), count=2)
    make_pictures(workspace.dataset("large"), count=1, size=(32, 24))
    workspace.dataset("none").mkdir()

    assert check(workspace, "many*2,few") == []
    assert "few" not in "".join(check(workspace, "many,few"))
    assert check(workspace, "many*2,none")[0].startswith("none holds no pictures")
    assert "large" in check(workspace, "many*2,large")[0]

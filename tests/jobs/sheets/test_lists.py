"""Lists that are longer than the layers that they are for."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.errors import SheetError
from jobs.sheets.sheet import read_sheet
from jobs.workspace.paths import Workspace

JOB = "name: a\n  dataset: demo\n  grid_width: 2\n  grid_height: 2\n  video_length: 1"


@pytest.fixture
def sheet(workspace: Workspace) -> Path:
    return workspace.root / "sheet.yaml"


def mistakes(sheet: Path, settings: str) -> list[str]:
    """Of a job with these settings, which begin in line 7: its lines, columns and reasons."""
    sheet.write_text(f"jobs:\n- {JOB}\n  {settings}\n")
    try:
        read_sheet(sheet, Workspace(sheet.parent))
    except SheetError as error:
        return [f"{each.line}: {each.column}: {each.reason}" for each in error.mistakes]
    return []


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            "activation_g: relu,relu,relu,relu,relu,relu,relu",
            "7: activation_g: has 7 entries for 4 hidden layers",
        ),
        ("stride_d: [1, 2, 1, 2, 1]", "7: stride_d: has 5 entries for 4 convolutions"),
        ("filters_d: 8,8\n  nbr_of_layers_d: 2", "7: filters_d: has 2 entries for 1 hidden layer"),
        ("k_w: [3, 5, 3, 5, 3]", "7: k_w: has 5 entries for 4 convolutions"),
        (
            "generator:\n    dropout: [0.1, 0.2, 0.3]\n    layers: [{noise: 1}, {dropout: 0}, {}]",
            "8: dropout_g: has 3 entries for 2 hidden layers",
        ),
    ],
)
def test_a_list_longer_than_the_layers_is_a_mistake(
    sheet: Path, settings: str, expected: str
) -> None:
    assert mistakes(sheet, settings) == [expected]


@pytest.mark.parametrize(
    "settings",
    [
        "activation_g: relu,tanh,relu,mish,",
        "noise_d: 0.1,0.2,0.3",
        "k_w: [3, 5, 3, 5, 3]\n  nbr_of_layers_g: 6",  # the deeper network has them all
        "diffaugment: color,translation,cutout\n  nbr_of_layers_d: 2",
        "generator:\n    dropout: [0, 0.1, 0.2]\n    layers: [{dropout: 0}, {dropout: 0.1}, {}]",
    ],
)
def test_what_is_not_too_long(sheet: Path, settings: str) -> None:
    assert mistakes(sheet, settings) == []


def test_by_a_wrong_number_of_layers_nothing_is_told(sheet: Path) -> None:
    (told,) = mistakes(sheet, "stride_d: 1,2,1,2,1\n  nbr_of_layers_d: many")
    assert "nbr_of_layers_d: must be" in told

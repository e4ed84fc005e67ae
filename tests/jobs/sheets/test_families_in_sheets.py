"""Cells that mean nothing to the family of their row."""

from __future__ import annotations

import pytest

from jobs.errors import SheetError
from jobs.sheets.sheet import read_sheet
from jobs.workspace.paths import Workspace

JOB = "dataset: demo, grid_width: 2, grid_height: 2, video_length: 1"


def mistakes(workspace: Workspace, name: str, text: str) -> list[str]:
    sheet = workspace.root / name
    sheet.write_text(text)
    try:
        read_sheet(sheet, workspace)
    except SheetError as error:
        return [f"{each.line}: {each.column}: {each.reason}" for each in error.mistakes]
    return []


def test_a_cell_of_a_row_that_means_nothing_is_told_at_its_line(workspace: Workspace) -> None:
    sheet = (
        "name,family,dataset,grid_width,grid_height,video_length,learning_rate_g,seed\n"
        "net,,demo,2,2,1,0.001,1\n"
        "card,testcard,demo,2,2,1,0.001,1\n"
        "other,testcard,demo,2,2,1,,1\n"
    )
    assert mistakes(workspace, "a.csv", sheet) == [
        "3: learning_rate_g: means nothing to a testcard; leave it empty"
    ]


@pytest.mark.parametrize(
    ("job", "told"),
    [
        ("- {name: card, family: testcard, %s}", []),
        ("- {name: card, preset: soft, family: testcard, %s}", []),
        ("- {name: card, family: testcard, %s, generator: {noise: 0.1}}", ["noise_g"]),
        ("- {name: net, %s, generator: {noise: 0.1}}", []),
    ],
    ids=["from the defaults", "from a preset", "its own", "of another family"],
)
def test_what_a_job_inherits_may_be_meant_for_others(
    workspace: Workspace, job: str, told: list[str]
) -> None:
    sheet = f"""\
defaults: {{loss: hinge, generator: {{layers: [{{noise: 0.2}}, {{noise: 0.1}}, {{}}, {{}}]}}}}
presets:
  soft: {{generator: {{noise: 0.3}}}}
jobs:
{job % JOB}
"""
    reason = "means nothing to a testcard; leave it empty"
    assert mistakes(workspace, "a.yaml", sheet) == [f"5: {column}: {reason}" for column in told]


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ("preprocess: resize, load_size: 64x48", []),
        (
            "preprocess: resize, load_size: 63x48",
            [
                "1: family: fastgan is for pictures with a longer side of 64 to 2048 pixels, and "
                "these are 63x48; scale them with preprocess and load_size"
            ],
        ),
        (
            "preprocess: resize, load_size: 48x2049",
            [
                "1: family: fastgan is for pictures with a longer side of 64 to 2048 pixels, and "
                "these are 48x2049; scale them with preprocess and load_size"
            ],
        ),
        ("diffaugment: none", []),
        (
            "diffaugment: [color, none]",
            ["1: diffaugment: names none beside others; leave it out"],
        ),
        (
            "perceptual: vgg16.h5",
            ["1: perceptual: must be a whole path, such as /home/me/vgg16.h5"],
        ),
        ("perceptual: /nowhere/vgg16.h5", ["1: perceptual: there is no file '/nowhere/vgg16.h5'"]),
        (
            "perceptual: /dev/../etc/passwd, colour_model: hsv",
            [
                "1: perceptual: looks at red, green and blue, and the networks think in hsv; use "
                "colour_model rgb, rgba or grey, or leave it empty"
            ],
        ),
        ("k_w: 3", ["1: k_w: means nothing to a fastgan; leave it empty"]),
        ("nbr_of_layers_g: 6", ["1: nbr_of_layers_g: means nothing to a fastgan; leave it empty"]),
    ],
)
def test_mistakes_of_a_fastgan(workspace: Workspace, cells: str, told: list[str]) -> None:
    sheet = f"jobs: [{{name: a, family: fastgan, {JOB}, {cells}}}]"
    assert mistakes(workspace, "a.yaml", sheet) == told


def test_a_list_that_is_inherited_need_not_fit_layers_that_the_family_sets_itself(
    workspace: Workspace,
) -> None:
    sheet = f"""\
defaults: {{activation_g: "{",".join(["relu", "tanh"] * 4)}"}}
jobs:
- {{name: a, family: fastgan, {JOB}}}
"""
    assert mistakes(workspace, "a.yaml", sheet) == []

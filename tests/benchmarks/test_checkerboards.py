"""`python -m benchmarks.checkerboards`: jobs that can be compared, and the picture of them."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np

from benchmarks import checkerboards
from benchmarks.checkerboards import DATASET, GAP, PART, SHEET, SIDE, STRIP, Column, draw
from jobs.settings.kinds import GeneratorConvolution, Resolution
from jobs.sheets.sheet import read_sheet
from jobs.workspace.paths import Workspace
from multitrain.datasets.drawn.styles import Drawing
from tests.footage import write_video


def drawn(workspace: Workspace) -> None:
    folder = workspace.dataset(DATASET)
    folder.mkdir(parents=True)
    for number in range(12):
        Drawing("waves", Resolution(64, 64), 1, number).save_in(folder)


def test_its_jobs_differ_in_how_they_enlarge_and_in_nothing_else(workspace: Workspace) -> None:
    drawn(workspace)
    sheet = read_sheet(SHEET, workspace)
    assert not sheet.warnings
    specs = [job.spec for job in sheet.jobs]
    assert [spec.convolution_g for spec in specs] == [
        (each,) for each in get_args(GeneratorConvolution)
    ]
    assert len({spec.model_copy(update={"name": "a", "convolution_g": ()}) for spec in specs}) == 1


def test_films_and_pictures_stand_side_by_side_with_what_they_measure(
    workspace: Workspace, tmp_path: Path, monkeypatch
) -> None:
    drawn(workspace)
    workspace.renders.mkdir()
    y, x = np.mgrid[:192, :256]
    for job in read_sheet(SHEET, workspace).jobs:
        job.save(workspace.job(job.spec.name))
        strength = 60 if job.spec.name == "deconv" else 0
        frame = np.uint8(128 + strength * (1 - 2 * ((x + y) % 2)))
        film = [np.repeat(frame[..., None], 3, axis=2)] * 3
        write_video(workspace.job(job.spec.name).film(None), film, fps=30)
    monkeypatch.setattr(checkerboards, "train", lambda workspace: None)
    picture = tmp_path / "picture.png"

    assert checkerboards.main([str(picture), "--workspace", str(workspace.root)]) == 0

    pictures, deconv, *others = (
        checkerboards.of_pictures(workspace),
        *checkerboards.of_films(workspace),
    )
    assert picture.exists()
    assert deconv.decibels > 3 + max(each.decibels for each in (pictures, *others))
    assert {each.picture.shape for each in (pictures, deconv, *others)} == {(64, 64, 3)}


def test_a_sample_is_shown_whole_and_its_middle_larger() -> None:
    sample = np.zeros((64, 64, 3), np.uint8)
    sample[20:44, 20:44] = 255
    seen = np.asarray(draw([Column("a", sample, 1.0), Column("b", sample // 2, 2.0)]))
    whole, middle = (seen[GAP + STRIP + row * (SIDE + GAP) :, GAP:][:SIDE, :SIDE] for row in (0, 1))
    assert (whole[0, 0].max(), middle.min()) == (0, 255)
    assert whole.mean() == sample.mean()
    assert (64 - PART) // 2 == 20
    assert seen[-GAP - 1, -GAP - 1].tolist() == [127] * 3

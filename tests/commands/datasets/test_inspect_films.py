"""`multitrain dataset inspect --film`: films of jobs and others, with data sets or without."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from jobs.errors import MultitrainError, UsageError
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from multitrain.commands.cli import commands
from multitrain.commands.datasets.films import judgement
from multitrain.datasets.drawn.styles import Drawing
from tests.footage import write_video

CELL = Resolution(48, 40)


@pytest.fixture
def inspect(workspace, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(*words):
        arguments = ["dataset", "inspect", *map(str, words), "--workspace", str(workspace.root)]
        result = CliRunner().invoke(
            commands, arguments, catch_exceptions=False, standalone_mode=False
        )
        return result.stdout

    return call


def spec(**columns):
    settings = {"dataset": "demo", "grid_width": 2, "grid_height": 2, "video_length": 1}
    return JobSpec(name="night", **(settings | columns))


@pytest.fixture
def night(workspace):
    """The film of a job whose samples have a checkerboard."""
    JobFile(spec=spec(), image_width=48, image_height=40).save(workspace.job("night"))
    workspace.renders.mkdir()
    cells = [np.int16(Drawing("waves", CELL, 1, number).pixels()) for number in range(4)]
    y, x = np.mgrid[:40, :48]
    checkers = 25 * (1 - 2 * ((x + y) % 2))[..., None]
    above, below = (np.concatenate(cells[n : n + 2], axis=1) for n in (0, 2))
    frame = np.concatenate([above, below]) + np.tile(checkers, (2, 2, 1))
    film = [np.uint8(frame.clip(0, 255))] * 20
    return write_video(workspace.renders / "night.mp4", film, fps=30)


def test_people_are_told_of_a_film(inspect, night):
    film, samples, settled, colours, checkers = inspect("--film", "night").splitlines()
    assert film == "film        night: 20 frames at 30 fps, 0:00.7, 96x80"
    assert samples == "samples     4 of 48x40"
    assert settled == "settled     from the first frame on"
    assert colours.startswith("colours     red ")
    assert checkers.startswith("checkers    ")
    assert checkers.endswith(" checkerboard; convolution_g: upconv draws none")


def test_what_is_measured_stands_beside_what_the_pictures_have(inspect, night, workspace):
    folder = workspace.dataset("silk")
    folder.mkdir(parents=True)
    for number in range(12):
        Drawing("waves", CELL, 2, number).save_in(folder)
    told = json.loads(inspect("silk", "--no-sheet", "--film", "night", "--film", night, "--json"))
    assert told["pictures"] == 12
    assert told["checkerboard"] < 2
    by_name, by_file = told["films"]
    assert by_name["checkerboard"] == by_file["checkerboard"] > 2 + told["checkerboard"]
    assert (by_name["samples"], by_name["sample_size"]) == (4, "48x40")
    assert f" dB (the pictures: {told['checkerboard']:.1f} dB): " in inspect(
        "silk", "--no-sheet", "--film", "night"
    )


def test_a_file_that_no_job_tells_of_is_one_sample_unless_its_size_is_given(
    inspect, night, tmp_path
):
    elsewhere = night.rename(tmp_path / "elsewhere.mp4")
    assert "1 of 96x80: nothing tells how large they are" in inspect("--film", elsewhere)
    assert "samples     4 of 48x40\n" in inspect("--film", elsewhere, "--cell", "48x40")
    assert "too small to tell" in inspect("--film", elsewhere, "--cell", "20x20")


def test_only_films_need_no_contact_sheet(inspect, night, tmp_path):
    inspect("--film", "night")
    assert not list(tmp_path.glob("*_contact.png"))
    assert list(json.loads(inspect("--film", "night", "--json"))) == ["films"]


@pytest.mark.parametrize(
    ("words", "kind", "told"),
    [
        ([], UsageError, "name a data set, or a film: --film NAME"),
        (["--film", "nigt"], UsageError, "There is no job 'nigt'.*did you mean 'night'"),
        (["--film", "none.mp4"], UsageError, "there is no film none.mp4"),
        (["--film", "night", "--cell", "97x4"], UsageError, "--cell 97x4 is larger than night"),
        (["demo", "--cell", "9x9"], UsageError, "--cell is for films"),
        (["--film", "night", "--batch-size", "9"], UsageError, "are for data sets: name one"),
        (["--film", "words.txt"], MultitrainError, "words.txt cannot be read as a video"),
    ],
)
def test_a_wrong_call_is_told_in_a_sentence(inspect, night, tmp_path, words, kind, told):
    (tmp_path / "words.txt").write_text("no film\n")
    with pytest.raises(kind, match=told) as caught:
        inspect(*words)
    assert caught.type is kind
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("decibels", "of_pictures", "columns", "told"),
    [
        (None, 0.1, {}, "samples are too small to tell a checkerboard"),
        (2.9, None, {}, "2.9 dB: no checkerboard"),
        (3.0, None, {}, "3.0 dB: a faint checkerboard; convolution_g: upconv draws none"),
        (
            9.0,
            0.2,
            {},
            "9.0 dB (the pictures: 0.2 dB): a clear checkerboard; conv",
        ),
        (4.0, 3.5, {}, "(the pictures: 3.5 dB): no more of a checkerboard than the pictures have"),
        (9.0, None, {"family": "fastgan"}, "a clear checkerboard; more training may make less"),
        (9.0, None, {"convolution_g": "upconv,subpixel"}, "convolution_g: upconv draws none"),
        (9.0, None, {"convolution_g": "upconv"}, "or convolution_g: upconv-bilinear may make less"),
    ],
)
def test_what_a_checkerboard_means_is_said_in_a_clause(decibels, of_pictures, columns, told):
    assert told in judgement(decibels, of_pictures, spec(**columns))

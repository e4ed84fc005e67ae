"""`multitrain dataset faces`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from jobs.errors import DatasetError, UsageError
from jobs.workspace.paths import Workspace
from multitrain.commands.cli import commands
from multitrain.datasets.faces.cascades import read_cascade
from multitrain.datasets.faces.making import Cutting, faces_of_pictures
from tests.drawn_faces import PAPER, SKIN, scene
from tests.footage import write_video

Call = Callable[..., Result]
TURNED = 6  # in EXIF: to be turned by a quarter to the right
TWO, ONE = ((10, 20, 200), (250, 30, 180)), ((60, 20, 240),)


@pytest.fixture
def call(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> Result:
        call = ["dataset", "faces", *map(str, words), "--workspace", str(workspace.root)]
        return CliRunner().invoke(commands, call, catch_exceptions=True, standalone_mode=False)

    return run


@pytest.fixture
def photos(workspace: Workspace) -> Path:
    folder = workspace.dataset("photos")
    (folder / "more").mkdir(parents=True)
    scene((460, 260), *TWO).save(folder / "two.png")
    scene((400, 300)).save(folder / "none.png")
    (folder / "broken.png").write_bytes(b"none")
    exif = Image.Exif()
    exif[0x0112] = TURNED
    turned = scene((400, 300), *ONE).transpose(Image.Transpose.ROTATE_90)
    turned.save(folder / "more" / "turned.jpg", exif=exif, quality=95)
    return folder


def test_faces_of_pictures_become_a_data_set(
    workspace: Workspace, photos: Path, call: Call
) -> None:
    result = call("photos", "faces", "--size", 96)

    assert result.exit_code == 0, result
    assert (
        "faces: 3 pictures\nof 96x96 pixels\nin 1 of 4 pictures no face was found\n"
        in result.stdout
    )
    assert "none.png (no face was found in it)" in result.stderr
    assert "broken.png (is not a picture)" in result.stderr
    folder = workspace.dataset("faces")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [str(path.relative_to(folder)) for path in files]
    assert names == ["more/turned_001.png", "two_001.png", "two_002.png"]
    for path in files:
        with Image.open(path) as picture:
            assert (picture.size, picture.mode) == ((96, 96), "RGB")
            # Upright, and in the middle: cheeks on both sides, paper in the upper corners.
            for place, colour in (((36, 60), SKIN), ((60, 60), SKIN), ((1, 1), PAPER)):
                assert np.abs(np.subtract(picture.getpixel(place), colour)).max() < 30
    with Image.open("faces_contact.png") as sheet:
        assert sheet.size == (4 + 3 * 132, 4 + 132)

    again = call("photos", "faces", "--sheet", "other.png")

    assert isinstance(again.exception, UsageError)
    assert "is there already" in str(again.exception)
    assert not Path("other.png").exists()
    assert isinstance(call("photos", "faces").exception, UsageError)  # its sheet is there


def test_faces_as_large_as_they_are_keep_every_pixel(
    workspace: Workspace, photos: Path, call: Call
) -> None:
    options = ("--size", "none", "--margin", 0.1, "--no-sheet", "--json")
    (made,) = json.loads(call("photos", "faces", *options).stdout)
    assert made["pictures"] == sum(made["sizes"].values()) == 3
    with Image.open(workspace.dataset("faces") / "two_001.png") as face:
        cut = np.asarray(face)
    whole = np.asarray(scene((460, 260), *TWO))
    height, width = cut.shape[:2]
    corners = np.lib.stride_tricks.sliding_window_view(whole[..., 0], (height, width))
    assert (corners == cut[..., 0]).all(axis=(2, 3)).any()
    assert not list(Path.cwd().glob("*.png"))


def test_faces_that_are_enlarged_are_told(photos: Path, call: Call) -> None:
    told = call("photos", "faces", "--size", "400x200", "--format", "jpg").stdout
    assert "enlarged to that: 2 that are smaller" in told
    assert "--least 125 leaves them out" in told


def test_faces_of_a_video(workspace: Workspace, tmp_path: Path, call: Call) -> None:
    with_face, without = (np.asarray(scene((240, 180), *each)) for each in (((40, 10, 160),), ()))
    frames = [with_face if 5 <= number < 15 else without for number in range(20)]
    video = write_video(tmp_path / "Some film.mp4", frames, fps=10)

    result = call(video, "faces", "--every", 0.5, "--size", 64)

    assert "in 2 of 4 frames no face was found" in result.stdout
    names = sorted(path.name for path in workspace.dataset("faces").iterdir())
    assert names == ["Some-film_000001_001.png", "Some-film_000002_001.png"]


def test_where_there_are_no_faces_nothing_is_made(
    workspace: Workspace, photos: Path, call: Call
) -> None:
    result = call("photos", "faces", "--least", 900)
    assert isinstance(result.exception, DatasetError)
    assert "No face was found" in str(result.exception)
    assert "--cascade" in str(result.exception)
    assert [*workspace.data.iterdir()] == [photos]
    assert not list(Path.cwd().glob("*.png"))


def test_an_interruption_leaves_nothing(workspace: Workspace, photos: Path, tmp_path: Path) -> None:
    def interrupted(outcomes, what, total):
        yield next(iter(outcomes))
        raise KeyboardInterrupt

    how = Cutting(read_cascade())
    sheet = tmp_path / "sheet.png"
    with pytest.raises(KeyboardInterrupt):
        faces_of_pictures(workspace, photos, "faces", how, sheet, interrupted)
    assert [*workspace.data.iterdir()] == [photos]
    assert not sheet.exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("photos/two.png", "faces"), "is a picture; name the folder"),
        (("photos", "faces", "--every", 2), "--every is for videos"),
        (("photos", "faces", "--cascade", "photos/two.png"), "is no cascade"),
        (("nowhere", "faces"), "There is no data set 'nowhere'"),
    ],
)
def test_what_cannot_be_done(
    photos: Path,
    call: Call,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[object, ...],
    reason: str,
) -> None:
    monkeypatch.chdir(photos.parent)
    assert reason in str(call(*words, "--no-sheet").exception)

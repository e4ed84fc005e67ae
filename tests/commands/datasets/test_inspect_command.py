"""`multitrain dataset inspect`: told for people and for machines, with a contact sheet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from jobs.errors import DatasetError, UsageError
from jobs.settings.kinds import Resolution
from jobs.workspace.files import listing
from jobs.workspace.paths import Workspace
from multitrain.commands.cli import commands
from multitrain.datasets.drawn.demo import draw_demo
from multitrain.datasets.drawn.styles import Drawing


@pytest.fixture
def pictures(workspace: Workspace) -> Path:
    """Data set `mine`: four pictures of 64x36, and one file that is empty."""
    folder = workspace.dataset("mine")
    folder.mkdir(parents=True)
    for number in range(4):
        Drawing("cells", Resolution(64, 36), 1, number).save_in(folder)
    (folder / "broken\n🎞.png").touch()
    return folder


def look(workspace: Workspace, *arguments: str) -> str:
    call = ["dataset", "inspect", *arguments, "--workspace", str(workspace.root)]
    result = CliRunner().invoke(commands, call, catch_exceptions=False, standalone_mode=False)
    return result.stdout


def test_people_are_told_what_there_is(
    workspace: Workspace, pictures: Path, tmp_path: Path
) -> None:
    sheet = tmp_path / "sheet.png"
    told = look(workspace, "mine", "--sheet", str(sheet))
    assert "4 of 64x36" in told
    assert "4 PNG" in told
    assert "unusable    'mine/broken\\n" in told
    assert "grid_width: 20, grid_height: 20, pictures of 64x36; can be halved twice" in told
    often = "each of the 4 is used 100 times in every one, which makes 2 frames"
    assert f"with 400 pictures per update, {often}" in told
    with Image.open(sheet) as image:
        assert image.size == (4 + 4 * 164, 4 + 94)


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        (1, "all 4 have been used after 8 frames: 0.13 seconds of film at 60 fps"),
        (3, "all 4 have been used after 4 frames: 0.067 seconds of film at 60 fps"),
        (4, "all 4 have been used after 2 frames: 0.033 seconds of film at 60 fps"),
        (6, "each of the 4 is used 1.5 times in every one, which makes 2 frames"),
    ],
)
def test_how_soon_and_how_often_pictures_are_used(
    workspace: Workspace, pictures: Path, batch: int, words: str
) -> None:
    told = look(workspace, "mine", "--no-sheet", "--batch-size", str(batch))
    assert f" per update, {words}" in told


def test_what_is_enlarged_is_told(workspace: Workspace) -> None:
    folder = workspace.dataset("small")
    folder.mkdir(parents=True)
    Image.new("RGB", (20, 20), "teal").save(folder / "a.png")
    told = look(workspace, "small", "--no-sheet")
    assert "pictures of 40x60 (preprocess: cover, load_size: 40x60), enlarged from 20x20;" in told
    grids = json.loads(look(workspace, "small", "--no-sheet", "--json"))["grids"]
    assert grids[0]["enlargement"] == 3


def test_machines_are_told_the_same(workspace: Workspace, pictures: Path, tmp_path: Path) -> None:
    told = json.loads(look(workspace, "mine", "--json", "--no-sheet", "--batch-size", "2"))
    assert (told["pictures"], told["sizes"], told["contact_sheet"]) == (4, {"64x36": 4}, None)
    assert told["repeats"] == {"batch_size": 2, "frames": 4, "minutes": 4 / 60 / 60}
    assert told["unusable"][0]["reason"] == "is empty"
    assert len(told["brightness"]) == 16
    assert told["grids"][1]["screen"] == "1920x1080"


def test_the_sheet_goes_to_the_current_folder_and_never_into_data(
    workspace: Workspace, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    look(workspace, "mine", "mine")
    assert (tmp_path / "mine_mine_contact.png").exists()
    before = listing(pictures)
    monkeypatch.chdir(pictures)
    with pytest.raises(UsageError, match="part of a data set"):
        look(workspace, "mine")
    assert listing(pictures) == before


def test_several_data_sets_are_looked_at_together(workspace: Workspace, pictures: Path) -> None:
    other = workspace.dataset("other")
    other.mkdir()
    Drawing("shapes", Resolution(64, 36), 1, 0).save_in(other)
    told = json.loads(look(workspace, "mine", "other", "--json", "--no-sheet"))
    assert told["pictures"] == 5


def test_what_is_not_there_or_empty_is_told(workspace: Workspace, pictures: Path) -> None:
    with pytest.raises(UsageError) as caught:
        look(workspace, "mina", "--no-sheet")
    told = f"There is no data set 'mina' in {workspace.data}; did you mean 'mine'?"
    assert str(caught.value) == told
    workspace.dataset("clip.mp4").touch()
    with pytest.raises(UsageError, match=r"is a video: `inspect --film`"):
        look(workspace, "clip.mp4", "--no-sheet")
    workspace.dataset("none").mkdir()
    with pytest.raises(DatasetError, match="there are no pictures"):
        look(workspace, "none", "--no-sheet")


def test_the_built_in_pictures_are_drawn_unless_a_farm_does(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "multitrain.datasets.drawn.demo.draw_demo", lambda folder: draw_demo(folder, 3)
    )
    monkeypatch.setattr("jobs.workspace.at_work.is_held", lambda _: True)
    with pytest.raises(UsageError, match="ask again soon"):
        look(workspace, "demo", "--no-sheet")
    monkeypatch.setattr("jobs.workspace.at_work.is_held", lambda _: False)
    assert json.loads(look(workspace, "demo", "--no-sheet", "--json"))["pictures"] == 3


def test_any_folder_can_be_looked_at(workspace: Workspace, pictures: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    pictures.rename(elsewhere)
    Image.new("RGB", (10, 10)).save(elsewhere / "odd.png")
    told = look(workspace, str(elsewhere), "--no-sheet")
    assert "5 in" in told
    assert f"other size  {elsewhere}/odd.png (10x10)" in told

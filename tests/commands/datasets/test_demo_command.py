"""`multitrain dataset demo`: a new data set, whole or not at all."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from PIL import Image

from jobs.errors import UsageError
from jobs.pictures.surveying import survey
from jobs.settings.kinds import Resolution
from jobs.workspace.paths import Workspace
from multitrain.commands.cli import commands
from multitrain.datasets.drawn.styles import STYLES, Drawing


def demo(workspace: Workspace, *arguments: str) -> str:
    call = ["dataset", "demo", *arguments, "--workspace", str(workspace.root)]
    return CliRunner().invoke(commands, call, catch_exceptions=False, standalone_mode=False).output


def test_a_data_set_is_drawn_as_asked_for(workspace: Workspace) -> None:
    asked = ["--size", "24x16", "--count", "7", "--seed", "3", "--json"]
    told = json.loads(demo(workspace, "mixed", *asked))
    folder = workspace.dataset("mixed")
    assert told[0]["folder"] == str(folder)
    assert (told[0]["pictures"], told[0]["style"], told[0]["seed"]) == (7, "mix", 3)
    found = survey([folder])
    assert (found.size, found.count, found.odd, found.unreadable) == ((24, 16), 7, (), ())
    assert {path.name.split("_")[0] for path in folder.iterdir()} == set(STYLES)
    path = folder / f"{STYLES[0]}_000005.png"
    with Image.open(path) as image:
        expected = Drawing(STYLES[0], Resolution(24, 16), 3, 5).pixels()
        assert image.tobytes() == expected.tobytes()


def test_a_larger_data_set_begins_with_the_same_pictures(workspace: Workspace) -> None:
    for name, count in (("few", "2"), ("many", "4")):
        demo(workspace, name, "--style", "waves", "--size", "16x9", "--count", count)
    few, many = (sorted(workspace.dataset(name).iterdir()) for name in ("few", "many"))
    assert [path.read_bytes() for path in few] == [path.read_bytes() for path in many[:2]]
    assert len(many) == 4


def test_a_name_that_is_taken_is_refused_and_left_alone(workspace: Workspace) -> None:
    workspace.dataset("mine").mkdir(parents=True)
    with pytest.raises(UsageError, match="there already"):
        demo(workspace, "mine", "--count", "1")
    with pytest.raises(UsageError, match="built-in"):
        demo(workspace, "demo", "--count", "1")
    assert list(workspace.data.iterdir()) == [workspace.dataset("mine")]


def test_what_fails_half_way_leaves_nothing(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = Drawing.pixels

    def fail(drawing: Drawing) -> object:
        if drawing.number == 3:
            raise OSError(28, "No space left on device")
        return draw(drawing)

    monkeypatch.setattr(Drawing, "pixels", fail)
    with pytest.raises(OSError, match="No space"):
        demo(workspace, "full", "--size", "16x9", "--count", "40")
    assert list(workspace.data.iterdir()) == []


@pytest.mark.parametrize("size", ["90", "0x9", "4x4", "9000x90", "axb"])
def test_sizes_that_cannot_be_are_refused(workspace: Workspace, size: str) -> None:
    call = ["dataset", "demo", "x", "--size", size, "--workspace", str(workspace.root)]
    result = CliRunner().invoke(commands, call)
    assert result.exit_code == 2
    assert "--size" in result.output
    assert not workspace.data.exists()

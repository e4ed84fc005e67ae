"""`dataset tile` and `dataset untile`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from jobs.errors import MultitrainError
from jobs.workspace.paths import Workspace
from multitrain.commands.cli import commands
from tests.datasets.tiles.scans import header, listed, read, save_noise


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(commands, ["dataset", *map(str, arguments)])


@pytest.mark.parametrize(
    ("border", "words"),
    [
        (2, "tiles of 20x16 (16x12 and a border of 2 on each side), of 1 pictures"),
        (0, "tiles of 16x12, of 1 pictures"),
    ],
)
def test_the_size_of_a_tile_with_its_border_is_told(
    workspace: Workspace, border: int, words: str
) -> None:
    save_noise(workspace.root / "one" / "a.png", (80, 60))
    result = run(
        "tile", workspace.root / "one", "tiles", "--tile", "16x12", "--border", border,
        "--workspace", workspace.root,
    )  # fmt: skip
    assert words in result.output
    assert header(next(workspace.dataset("tiles").glob("*.png"))).size == (
        16 + 2 * border,
        12 + 2 * border,
    )


def test_the_commands(workspace: Workspace, scans: Path) -> None:
    at = ("--workspace", workspace.root)
    options = ("--tile", "10x8", "--border", "1", "--edges", "--trim", "0,0,0,0", "--black", "0.5")
    made = run("tile", scans, "in", "--pair", scans, "out", *options, *at, "--json")
    assert made.exit_code == 0, made.output
    told = json.loads(made.stdout)
    assert [each["pictures"] for each in told] == [16 + 9 + 9] * 2
    assert [Path(each["folder"]).name for each in told] == ["in", "out"]
    back = run("untile", "out", workspace.root / "back", "--originals", scans, *at)
    assert back.exit_code == 0, back.output
    assert "back: 3 pictures" in back.output
    np.testing.assert_array_equal(read(workspace.root / "back" / "a.png"), read(scans / "a.png"))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (("--trim", "1,2,3"), "four numbers of pixels"),
        (("--trim", "-1,2,3,4"), "four numbers of pixels"),
        (("--black", "dark"), "'dark' is not a valid number"),
        (("--black", "2"), "not in the range"),
        (("--tile", "60"), "60"),
        (("--quality", "2"), "not in the range"),
    ],
)
def test_wrong_calls_are_told(
    workspace: Workspace, scans: Path, wrong: tuple[str, str], told: str
) -> None:
    result = run("tile", scans, "t", *wrong, "--workspace", workspace.root)
    assert result.exit_code == 2
    assert told in result.output
    assert not workspace.data.exists()


def test_a_name_that_is_taken_is_told(workspace: Workspace, scans: Path) -> None:
    save_noise(workspace.dataset("t") / "mine.png")
    result = run("tile", scans, "t", "--workspace", workspace.root)
    assert isinstance(result.exception, MultitrainError)
    assert result.exception.exit_code == 2
    assert listed(workspace.dataset("t")) == [Path("mine.png")]

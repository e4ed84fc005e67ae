"""`multitrain evaluate`: wrong calls are told at once, right ones print a table or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.commands.evaluate import command
from tests.applying.weights import keep_weights
from tests.command_line import frameworks_loaded_by

pytestmark = pytest.mark.usefixtures("own_environment")

SHARP = {"name": "sharp", "family": "superres", "features": 4, "blocks": 1}


@pytest.fixture(autouse=True)
def place(
    workspace: Workspace,
    tiny_job: Callable[..., JobFile],
    make_pictures: Callable[..., list[Path]],
    monkeypatch: pytest.MonkeyPatch,
) -> Workspace:
    """A job that has learnt to enlarge, others that have not, and pictures."""
    monkeypatch.chdir(workspace.root)
    keep_weights(workspace, tiny_job(20, 16, **SHARP))
    pairs = {"dataset": None, "targets": "a", "inputs": "b"}
    keep_weights(workspace, tiny_job(20, 16, **SHARP | {"name": "paired"} | pairs))
    tiny_job(name="night").save(workspace.job("night"))
    pix = {"name": "pix", "family": "pix2pix"}
    tiny_job(36, 36, **pix).save(workspace.job("pix"))
    make_pictures(workspace.root / "photos", count=2, size=(33, 26))
    (workspace.root / "photos" / "small.png").write_bytes(b"")
    (workspace.root / "empty").mkdir()
    make_pictures(workspace.root / "taken", count=1)
    return workspace


def call(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nobody", "photos"), "There is no job 'nobody'"),
        (("night", "photos"), "night is a dcgan, which makes no pictures of others"),
        (("pix", "photos"), "pix is a pix2pix, and only what enlarges pictures"),
        (("paired", "photos"), "paired learns of pairs, and nothing says how low pictures"),
        (("sharp", "nowhere"), "'nowhere' does not exist"),
        (("sharp", "empty"), "empty holds no pictures"),
        (("sharp", "photos", "--step", "3"), "sharp has no weights of step 3"),
        (("sharp", "photos", "--diff", "photos/picture_000.png"), "is a file, and a folder"),
        (("sharp", "photos", "--diff", "photos"), "photos lies in photos"),
        (("sharp", "photos", "--diff", "taken"), "taken/picture_000.png is there already"),
        (("sharp", "photos", "--diff", "/proc/none/off"), "nothing can be written"),
        (("sharp", "photos", "--strength", "2"), "2.0 is not in the range"),
    ],
)
def test_a_wrong_call_is_told(arguments: tuple[str, ...], words: str) -> None:
    before = sorted(Path().rglob("*"))
    result = call(*arguments)
    assert result.exit_code != 0
    assert words in result.output + str(result.exception)
    assert sorted(Path().rglob("*")) == before


def test_a_wrong_call_loads_no_framework() -> None:
    said, loaded = frameworks_loaded_by("multitrain.commands.evaluate", "sharp", "empty")
    assert "empty holds no pictures" in said
    assert loaded == "[]"


def test_each_picture_stands_beside_bicubic_scaling_and_in_the_end_the_mean() -> None:
    result = call("sharp", "photos", "--diff", "off", "--gpus", "cpu")

    assert result.exit_code == 1, "one of the pictures is none"
    assert "small.png: " in result.output
    lines = result.output.splitlines()
    assert any(line.split()[:3] == ["picture", "PSNR", "Y"] for line in lines)
    rows = {line.split()[0]: line.split()[1:] for line in lines if line and line[0] in "pm"}
    one, other, mean = (
        float(rows[name][0]) for name in ("picture_000.png", "picture_001.png", "mean")
    )
    assert mean == pytest.approx((one + other) / 2, abs=0.011)
    saved = sorted(path.name for path in Path("off").iterdir())
    assert saved == ["picture_000.png", "picture_001.png"]
    assert np.asarray(Image.open("off/picture_000.png")).shape == (26, 32, 3)


def test_pictures_of_one_name_do_not_take_each_others_place(
    make_pictures: Callable[..., list[Path]],
) -> None:
    for folder, size in (("a", (40, 33)), ("b", (24, 20)), ("c", (16, 12))):
        make_pictures(Path("nested") / folder, count=1, size=size)
    result = call("sharp", "nested", "--diff", "off", "--gpus", "cpu")
    saved = sorted(path.relative_to("off").as_posix() for path in Path("off").rglob("*.png"))
    assert saved == ["a/picture_000.png", "b/picture_000.png"]
    assert "c/picture_000.png: is 16x12, and 15 pixels a side are needed where 2" in result.output
    assert "a/picture_000.png  " in result.output


def test_programs_get_json() -> None:
    (Path("photos") / "small.png").unlink()
    result = CliRunner().invoke(command, ("sharp", "photos", "--json", "--gpus", "cpu"))
    assert result.exit_code == 0, result.exception
    told = json.loads(result.stdout)
    assert [Path(each["picture"]).name for each in told["pictures"]] == [
        "picture_000.png",
        "picture_001.png",
    ]
    assert told["own"].keys() == told["bicubic"].keys() == {
        "psnr_y", "psnr_rgb", "ssim", "ms_ssim", "perceptual",
    }  # fmt: skip

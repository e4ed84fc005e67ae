"""`multitrain dataset pair` and `split`: which pictures belong together, and on which side."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image, ImageOps

from jobs.errors import DatasetError, MultitrainError, UsageError
from jobs.settings.kinds import Resolution
from jobs.workspace.paths import Workspace
from multitrain.commands.datasets import dataset
from multitrain.datasets.drawn.styles import MIX, Drawing

COUNT, SIZE = 12, Resolution(64, 36)
Call = Callable[..., list[dict[str, object]]]


@pytest.fixture
def call(workspace: Workspace) -> Call:
    def run(*words: object) -> list[dict[str, object]]:
        told = [*map(str, words), "--workspace", str(workspace.root), "--json"]
        result = CliRunner().invoke(dataset, told, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        made: list[dict[str, object]] = json.loads(result.stdout)
        return made

    return run


@pytest.fixture
def both(workspace: Workspace) -> Workspace:
    """Drawn pictures in `data/a`; in `data/b` the same, coarser and under names out of order."""
    for side in "ab":
        (workspace.data / side / "more").mkdir(parents=True)
    for number in range(COUNT):
        picture = drawn(number)
        folder = "more/" if number % 2 else ""
        picture.save(workspace.data / "a" / f"{folder}x{number:02d}.png")
        coarse = ImageOps.posterize(picture, 3).resize((48, 27))
        coarse.save(workspace.data / "b" / f"y{partner(number):02d}.jpg", quality=95)
    return workspace


def drawn(number: int) -> Image.Image:
    return Image.fromarray(Drawing(MIX, SIZE, 1, number).pixels())


def partner(number: int) -> int:
    return number * 5 % COUNT


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_pictures_that_show_the_same_are_pairs_by_likeness(both: Workspace, call: Call) -> None:
    stranger = Image.fromarray(np.random.default_rng(1).integers(0, 256, (36, 64, 3), np.uint8))
    stranger.save(both.data / "b" / "stranger.png")
    (both.data / "a" / "broken.png").write_bytes(b"\x89PNG")
    (made,) = call("pair", "a", "b", "pairs", "--by", "likeness")
    pairs = [[Path(each).stem for each in files] for files in made["pairs"]]
    assert sorted(pairs) == [[f"x{n:02d}", f"y{partner(n):02d}"] for n in range(COUNT)]
    assert {Path(each["path"]).name for each in made["left_out"]} == {"stranger.png", "broken.png"}


def test_pairs_lie_in_two_folders_under_one_name(both: Workspace, call: Call) -> None:
    sheet = both.root / "sheet.png"
    call("pair", "a", "b", "pairs", "--by", "order", "--sheet", sheet)
    inputs, targets = (both.dataset("pairs") / side for side in ("inputs", "targets"))
    assert names(inputs) == names(both.data / "a")
    assert [name.partition(".")[0] for name in names(targets)] == [
        name.partition(".")[0] for name in names(inputs)
    ]
    first = inputs / names(inputs)[0]
    assert first.samefile(both.data / "a" / names(inputs)[0])  # no second copy on the disk
    with Image.open(sheet) as picture:
        assert picture.width > picture.height  # two rows


def test_names_make_pairs_whatever_their_suffixes(both: Workspace, call: Call) -> None:
    for old in (both.data / "a" / "x00.png", both.data / "a" / "more" / "x01.png"):
        there = both.data / "c" / old.relative_to(both.data / "a")
        there.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(old) as picture:
            picture.save(there.with_suffix(".webp"))
    (made,) = call("pair", "a", "c", "pairs")
    assert names(both.dataset("pairs") / "targets") == ["more/x01.webp", "x00.webp"]
    assert len(made["left_out"]) == COUNT - 2


@pytest.mark.parametrize(
    ("words", "error", "reason"),
    [
        (["a", "b", "pairs"], DatasetError, "none in .* are a pair by name"),
        (["a", "fewer", "pairs", "--by", "order"], UsageError, "12 pictures in .* and 1 pictures"),
        (["a", "nowhere", "pairs"], UsageError, "no data set 'nowhere'"),
        (["a", "b", "a", "--by", "order"], UsageError, "is there already"),
    ],
)
def test_what_cannot_be_paired_is_told(
    both: Workspace, call: Call, words: list[str], error: type[MultitrainError], reason: str
) -> None:
    (both.data / "fewer").mkdir()
    drawn(0).save(both.data / "fewer" / "x.png")
    before = names(both.data)
    with pytest.raises(error, match=reason):
        call("pair", *words)
    assert names(both.data) == before


def test_a_split_keeps_pairs_together_and_leaves_its_source(both: Workspace, call: Call) -> None:
    call("pair", "a", "b", "pairs", "--by", "order")
    before = names(both.dataset("pairs"))
    (made,) = call("split", "pairs", "parts", "--test", 25)
    assert (made["train"], made["test"]) == (18, 6)
    assert names(both.dataset("pairs")) == before
    sides = {side: names(both.dataset(f"parts/{side}")) for side in ("train", "test")}
    assert sorted(sides["train"] + sides["test"]) == before
    for found in sides.values():
        stems = [name.split("/", 1)[1].partition(".")[0] for name in found]
        assert all(stems.count(stem) == 2 for stem in stems)


def test_pictures_that_are_added_change_few_sides(both: Workspace, call: Call) -> None:
    call("split", "a", "before", "--test", 50)
    call("split", "a", "other", "--test", 50, "--seed", 1)
    drawn(99).save(both.data / "a" / "added.png")
    call("split", "a", "after", "--test", 50)
    before, other, after = (
        set(names(both.dataset(f"{name}/test"))) for name in ("before", "other", "after")
    )
    assert len(before & after) >= COUNT // 2 - 1
    assert other != before


def test_the_last_frames_of_a_video_are_for_tests(both: Workspace, call: Call) -> None:
    call("split", "b", "parts", "--test", 30, "--last")
    assert names(both.dataset("parts/test")) == [f"y{number:02d}.jpg" for number in range(8, 12)]


def test_numbers_count_as_people_count_them(workspace: Workspace, call: Call) -> None:
    for folder, name in (("a", "{}"), ("b", "{:02d}")):
        (workspace.data / folder).mkdir(parents=True)
        for number in range(1, 12):
            drawn(number).save(workspace.data / folder / f"{name.format(number)}.png")
    (made,) = call("pair", "a", "b", "pairs", "--by", "order")
    assert all(int(Path(one).stem) == int(Path(other).stem) for one, other in made["pairs"])
    call("split", "a", "parts", "--test", 20, "--last")
    assert names(workspace.dataset("parts/test")) == ["10.png", "11.png"]


def test_one_picture_cannot_be_split(workspace: Workspace, call: Call) -> None:
    (workspace.data / "one").mkdir(parents=True)
    drawn(0).save(workspace.data / "one" / "x.png")
    with pytest.raises(DatasetError, match="too few pictures"):
        call("split", "one", "parts")

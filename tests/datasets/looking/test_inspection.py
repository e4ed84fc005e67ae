"""What is told of a data set: counts, colours, what is broken, odd or a repetition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from PIL import Image

from jobs.settings.kinds import Resolution
from multitrain.datasets.drawn.styles import Drawing
from multitrain.datasets.looking.inspection import BARS, Inspection, inspect
from multitrain.datasets.looking.screens import SCREENS, Grid, best_grid, frames_per_round

T = TypeVar("T")


def unseen(things: Iterable[T], _: int) -> Iterator[T]:
    return iter(things)


def look(folder: Path) -> Inspection:
    return inspect([folder], unseen)


def save(folder: Path, name: str, style: str, number: int = 0, side: int = 64) -> Image.Image:
    folder.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(Drawing(style, Resolution(side, side), 1, number).pixels())
    picture.save(folder / name)
    return picture


def test_colours_are_those_of_the_pixels_whatever_the_size(tmp_path: Path) -> None:
    small = Image.new("RGB", (4, 4), (200, 100, 0))
    small.save(tmp_path / "a.png")
    halves = np.zeros((40, 40, 3), np.uint8)
    halves[:20] = (100, 100, 100)
    Image.fromarray(halves).save(tmp_path / "b.png")
    found = look(tmp_path)
    red = np.array([200] * 2 + [100, 0])  # each picture counts the same
    assert found.mean == pytest.approx((red.mean(), 75, 25))
    assert found.deviation[0] == pytest.approx(red.std())
    assert sum(found.brightness) == pytest.approx(1)
    assert len(found.brightness) == BARS
    assert found.brightness[0] == pytest.approx(0.25)  # the black quarter of both


def test_greys_alpha_and_animations_are_counted(tmp_path: Path) -> None:
    colour = save(tmp_path, "colour.png", "waves")
    colour.convert("L").save(tmp_path / "grey.png")
    colour.convert("L").convert("RGB").save(tmp_path / "grey_rgb.jpg")
    Image.new("RGBA", (64, 64), (200, 30, 30, 90)).save(tmp_path / "clear.png")
    frames = [save(tmp_path, "x.png", "shapes", number) for number in (1, 2)]
    (tmp_path / "x.png").unlink()
    frames[0].save(tmp_path / "moving.webp", save_all=True, append_images=frames[1:], lossless=True)
    found = look(tmp_path)
    assert (found.greys, found.with_alpha) == (2, 1)
    assert [path.name for path in found.animated] == ["moving.webp"]
    assert found.formats == {"PNG": 3, "JPEG": 1, "WEBP": 1}


def test_what_is_broken_or_odd_is_told_and_the_others_are_counted(tmp_path: Path) -> None:
    for number in range(3):
        save(tmp_path, f"good_{number}.png", "cells", number)
    save(tmp_path, "odd.png", "cells", 9, side=40)
    whole = (tmp_path / "good_0.png").read_bytes()
    (tmp_path / "short.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("hello")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "new\nline.png").symlink_to(tmp_path / "nowhere")
    found = look(tmp_path)
    assert found.size == (64, 64)
    assert len(found.paths) == 4
    assert [(each.path.name, each.size) for each in found.odd] == [("odd.png", (40, 40))]
    reasons = {each.path.name: each.reason for each in found.unreadable}
    assert set(reasons) == {"short.png", "empty.jpg", "text.jpg", "new\nline.png"}
    assert reasons["empty.jpg"] == "is empty"
    assert reasons["text.jpg"] == "is not a picture"
    assert "truncated" in reasons["short.png"]


def test_pictures_that_look_alike_are_paired(tmp_path: Path) -> None:
    picture = save(tmp_path, "a.png", "shapes", 0)
    save(tmp_path, "b.png", "shapes", 1)
    picture.resize((50, 50)).save(tmp_path / "c.jpg", quality=80)
    pairs = [(one.name, other.name) for one, other in look(tmp_path).repeats]
    assert pairs == [("c.jpg", "a.png")]


def test_a_huge_picture_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("multitrain.datasets.looking.inspection.MOST_PIXELS", 64 * 64)
    save(tmp_path, "fits.png", "waves")
    save(tmp_path, "huge.png", "waves", side=65)
    found = look(tmp_path)
    assert [path.name for path in found.paths] == ["fits.png"]
    assert found.unreadable[0].reason == "is 65x65, too large to look at"


def test_an_empty_folder_has_no_size(tmp_path: Path) -> None:
    found = look(tmp_path)
    assert found.size is None
    assert found.mean == (0, 0, 0)


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize(
    "size", [Resolution(160, 90), Resolution(256, 256), Resolution(640, 480), Resolution(90, 160)]
)
def test_grids_fill_the_screen_without_enlarging(screen: Resolution, size: Resolution) -> None:
    grid = best_grid(screen, size)
    assert grid.columns * grid.cell.width == screen.width
    assert grid.rows * grid.cell.height == screen.height
    assert grid.cell.width <= size.width
    assert grid.cell.height <= size.height
    skew = grid.cell.width / grid.cell.height / (size.width / size.height)
    assert skew == pytest.approx(1, abs=0.1)


def test_sizes_that_halve_well_are_preferred() -> None:
    grid = best_grid(Resolution(1280, 720), Resolution(160, 90))
    assert grid == Grid(Resolution(1280, 720), 10, 10)
    assert (grid.cell, grid.halvings) == (Resolution(128, 72), 3)


def test_tiny_pictures_and_huge_ones_have_a_grid() -> None:
    assert best_grid(Resolution(1280, 720), Resolution(8, 8)).columns > 1
    assert best_grid(Resolution(1280, 720), Resolution(4000, 2250)).cell == (256, 144)


def test_pictures_too_small_for_a_grid_are_enlarged_as_little_as_can_be() -> None:
    for side in (8, 20, 40):
        size = Resolution(side, side)
        grid = best_grid(Resolution(1280, 720), size)
        others = [
            Grid(grid.screen, columns, rows)
            for columns in (10, 16, 20, 32, 40)
            for rows in (9, 10, 12, 16, 18, 20, 24)
            if columns * rows <= 400
        ]
        assert 1 < grid.enlargement(size) <= min(each.enlargement(size) for each in others)
    assert Grid(Resolution(1280, 720), 10, 10).enlargement(Resolution(128, 72)) == 1


def test_a_round_takes_two_frames_for_each_update() -> None:
    assert frames_per_round(400, 64) == 14
    assert frames_per_round(1, 64) == 2

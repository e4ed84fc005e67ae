"""Contact sheets: evenly chosen, each picture whole, broken ones replaced."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from multitrain.datasets.looking.contact_sheet import GAP, contact_sheet

CELL = (16, 8)


@pytest.fixture
def greys(tmp_path: Path) -> list[Path]:
    """Ten pictures of 32x16, each of one grey: 10, 30, 50 ..."""
    paths = [tmp_path / f"{number}.png" for number in range(10)]
    for number, path in enumerate(paths):
        Image.new("RGB", (32, 16), (10 + 20 * number,) * 3).save(path)
    return paths


def middles(sheet: Image.Image, columns: int, rows: int) -> list[int]:
    """The red of each cell's middle, row by row."""
    pixels = np.asarray(sheet)[..., 0]
    return [
        int(pixels[GAP + row * (CELL[1] + GAP) + 4, GAP + column * (CELL[0] + GAP) + 8])
        for row in range(rows)
        for column in range(columns)
    ]


def test_pictures_are_evenly_chosen_in_their_order(greys: list[Path]) -> None:
    sheet = contact_sheet(greys, columns=5, rows=1, cell=CELL)
    assert sheet.size == (GAP + 5 * (16 + GAP), GAP + 8 + GAP)
    assert middles(sheet, 5, 1) == [10, 50, 90, 130, 170]


def test_a_broken_picture_gives_its_cell_to_the_next(greys: list[Path]) -> None:
    greys[2].write_bytes(greys[2].read_bytes()[:60])
    sheet = contact_sheet(greys, columns=5, rows=1, cell=CELL)
    assert middles(sheet, 5, 1) == [10, 70, 90, 130, 170]


def test_few_pictures_make_a_small_sheet(greys: list[Path]) -> None:
    sheet = contact_sheet(greys[:3], columns=2, rows=4, cell=CELL)
    assert sheet.size == (GAP + 2 * (16 + GAP), GAP + 2 * (8 + GAP))
    assert middles(sheet, 2, 2)[:3] == [10, 30, 50]


def test_a_picture_is_seen_whole_and_upright(tmp_path: Path) -> None:
    path = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise: the left half comes up
    lying = Image.new("RGB", (64, 64), "white")
    lying.paste("black", (0, 0, 32, 64))
    lying.save(path, exif=exif)
    sheet = np.asarray(contact_sheet([path], cell=(32, 16)))[..., 0]
    shown = sheet[GAP : GAP + 16, GAP + 8 : GAP + 24]
    assert shown[:7].max() < 60
    assert shown[9:].min() > 200


def test_nothing_readable_gives_an_empty_sheet(tmp_path: Path) -> None:
    assert contact_sheet([tmp_path / "none.png"], cell=CELL).size == (GAP + 16 + GAP, GAP + 8 + GAP)

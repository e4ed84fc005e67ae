"""The built-in pictures: the same everywhere, written whole, never over the user's."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from jobs.errors import DatasetError, UsageError
from jobs.pictures.finding import DEMO_COUNT, DEMO_SIZE
from jobs.pictures.surveying import survey
from jobs.workspace.files import listing
from jobs.workspace.paths import Workspace
from multitrain.datasets.decoded.folders import load_pictures
from multitrain.datasets.drawn import demo
from multitrain.datasets.drawn.demo import draw_demo, ensure_demo
from multitrain.datasets.drawn.landscapes import PALETTES, draw_landscape
from multitrain.datasets.made.making import new_data_set

if TYPE_CHECKING:
    from tests.conftest import MakePictures

# Of the first four landscapes. Where they are to look different, print the new one and put it here.
PIXELS = "a300870927ef63f62b086780d9ae8379c60d86ac5e042e4b70e498d7f905bfa8"


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """The demo with three pictures instead of hundreds."""
    monkeypatch.setattr(demo, "draw_demo", lambda folder: draw_demo(folder, 3))
    return 3


def test_the_pixels_are_the_same_on_every_machine() -> None:
    pixels = b"".join(draw_landscape(seed, *DEMO_SIZE).tobytes() for seed in range(4))
    assert hashlib.sha256(pixels).hexdigest() == PIXELS


def test_landscapes_differ_and_use_the_range_of_colours() -> None:
    pictures = np.stack([draw_landscape(seed, *DEMO_SIZE) for seed in range(12)])
    assert pictures.shape == (12, DEMO_SIZE.height, DEMO_SIZE.width, 3)
    assert len({picture.tobytes() for picture in pictures}) == 12
    assert pictures.min() < 25
    assert pictures.max() > 235
    assert pictures.mean(axis=(1, 2)).std(axis=0).min() > 10  # several times of day


def test_palettes_have_five_colours_within_range() -> None:
    for palette in PALETTES:
        for colour in (palette.zenith, palette.sky, palette.horizon, palette.light, palette.near):
            assert colour.shape == (3,)
            assert 0 <= colour.min() <= colour.max() <= 1


def test_all_pictures_of_the_demo_are_as_the_sheet_expects_them(workspace: Workspace) -> None:
    ensure_demo(workspace)
    folder = workspace.dataset("demo")
    found = survey([folder])
    assert (found.size, found.count, found.odd, found.unreadable) == (
        DEMO_SIZE,
        DEMO_COUNT,
        (),
        (),
    )
    images = load_pictures([folder], *DEMO_SIZE).images
    np.testing.assert_array_equal(images[7], draw_landscape(7, *DEMO_SIZE))


def test_nothing_else_is_left_in_data(workspace: Workspace, few: int) -> None:
    ensure_demo(workspace)
    assert listing(workspace.data) == ["demo"]
    assert len(listing(workspace.dataset("demo"))) == few


def test_an_empty_folder_is_filled(workspace: Workspace, few: int) -> None:
    workspace.dataset("demo").mkdir(parents=True)
    ensure_demo(workspace)
    assert len(listing(workspace.dataset("demo"))) == few


def test_the_users_own_folder_is_left_alone(
    workspace: Workspace, few: int, make_pictures: MakePictures
) -> None:
    (path,) = make_pictures(workspace.dataset("demo"), 1)
    ensure_demo(workspace)
    assert listing(path.parent) == [path.name]


def test_a_drawing_that_is_interrupted_leaves_nothing(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(folder: Path) -> None:
        draw_demo(folder, 1)
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "draw_demo", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ensure_demo(workspace)
    assert listing(workspace.data) == []


def test_another_command_leaves_alone_what_is_being_drawn(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def beside(folder: Path) -> None:
        draw_demo(folder, 2)
        with pytest.raises(UsageError, match="being made by another command"):
            ensure_demo(workspace)
        with new_data_set(workspace, "others") as (other,):
            draw_demo(other, 1)
        draw_demo(folder, 3)

    monkeypatch.setattr(demo, "draw_demo", beside)
    ensure_demo(workspace)
    assert len(listing(workspace.dataset("demo"))) == 3
    assert listing(workspace.data) == ["demo", "others"]


def test_pictures_that_come_while_it_draws_are_kept(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, make_pictures: MakePictures
) -> None:
    def overtaken(folder: Path) -> None:
        draw_demo(folder, 1)
        make_pictures(workspace.dataset("demo"), 2)

    monkeypatch.setattr(demo, "draw_demo", overtaken)
    ensure_demo(workspace)
    assert listing(workspace.data) == ["demo"]
    assert len(listing(workspace.dataset("demo"))) == 2


def test_a_place_that_cannot_be_written_is_an_error_for_a_person(
    workspace: Workspace, few: int
) -> None:
    workspace.data.mkdir()
    workspace.dataset("demo").symlink_to("nowhere")
    with pytest.raises(DatasetError, match="cannot be written to"):
        ensure_demo(workspace)

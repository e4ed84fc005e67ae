"""Scaling and cutting, of one picture, of folders, and in the cache."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from jobs.errors import DatasetError
from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import Preprocessing, Step, Unfit
from jobs.workspace.paths import Workspace
from multitrain.datasets.cached.cache import Listing, open_pictures
from multitrain.datasets.decoded.folders import load_pictures
from multitrain.datasets.decoded.preprocessing import preprocessed

if TYPE_CHECKING:
    from tests.conftest import MakePictures

SIZE = Resolution(64, 48)


def step(kind: str, width: int = SIZE.width, height: int = SIZE.height) -> Step:
    return Step(kind, Resolution(width, height))


def plane(width: int, height: int) -> Image.Image:
    """Red grows with the share of the width, green with that of the height; blue is half."""
    x, y = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)
    values = np.stack([x, y, np.full_like(x, 0.5)], axis=-1)
    return Image.fromarray(np.rint(values * 255).astype(np.uint8))


def spans(image: Image.Image) -> tuple[float, float, float, float]:
    """Which part of the plane is seen: left, top, right, bottom, 0..1, at the centres of pixels."""
    red, green, _ = np.moveaxis(np.asarray(image) / 255, -1, 0)
    middle_row, middle_column = red[red.shape[0] // 2], green[:, green.shape[1] // 2]
    return middle_row[0], middle_column[0], middle_row[-1], middle_column[-1]


def about(*expected: float) -> object:
    return pytest.approx(expected, abs=0.015)


@pytest.mark.parametrize("size", [(320, 180), (100, 400), (64, 48), (31, 17), (3000, 2)])
@pytest.mark.parametrize(
    "steps",
    [
        (step("resize"),),
        (step("cover"),),
        (step("scale_width"),),
        (step("cover", 80, 90), step("center_crop")),
        (step("resize", 64, 64), step("center_crop")),
    ],
)
def test_sizes_are_those_that_were_planned(size: tuple[int, int], steps: tuple[Step, ...]) -> None:
    planned = Preprocessing(steps).loaded(Resolution(*size))
    assert preprocessed(plane(*size), steps).size == planned


def test_resize_shows_all_of_a_picture() -> None:
    seen = preprocessed(plane(400, 100), [step("resize")])
    assert spans(seen) == about(0.5 / 64, 0.5 / 48, 1 - 0.5 / 64, 1 - 0.5 / 48)


def test_cover_keeps_the_proportions_and_the_middle() -> None:
    wide = preprocessed(plane(640, 240), [step("cover")])  # 320 of its 640 columns
    assert spans(wide) == about(0.25, 0, 0.75, 1)
    tall = preprocessed(plane(64, 192), [step("cover")])
    assert spans(tall) == about(0, 0.375, 1, 0.625)


def test_a_cut_around_the_centre_takes_its_very_pixels() -> None:
    picture = plane(100, 80)
    cut = preprocessed(picture, [step("center_crop", 40, 31)])
    np.testing.assert_array_equal(np.asarray(cut), np.asarray(picture)[24:55, 30:70])
    with pytest.raises(Unfit):
        preprocessed(picture, [step("center_crop", 101, 1)])


def test_a_picture_of_the_right_size_stays_as_it_is() -> None:
    picture = plane(*SIZE)
    for kind in ("resize", "cover", "scale_width", "center_crop"):
        np.testing.assert_array_equal(preprocessed(picture, [step(kind)]), np.asarray(picture))


def test_fine_patterns_do_not_alias() -> None:
    lines = np.zeros((96, 640, 3), np.uint8)
    lines[:, ::2] = 255
    seen = np.asarray(preprocessed(Image.fromarray(lines), [step("resize", 96, 96)]))
    assert np.abs(seen[:, 2:-2].astype(int) - 127).max() <= 3


def test_colours_under_full_transparency_do_not_bleed() -> None:
    values = np.zeros((40, 40, 4), np.uint8)
    values[:, :20] = (255, 0, 0, 255)
    values[:, 20:] = (0, 255, 0, 0)
    seen = np.asarray(preprocessed(Image.fromarray(values), [step("resize", 10, 10)]))
    visible = seen[..., 3] > 8
    assert (seen[visible][:, 1] < 8).all()
    assert (seen[visible][:, 0] > 247).all()


@pytest.fixture
def folder(workspace: Workspace, make_pictures: MakePictures) -> Path:
    """Of three sizes, one of them turned by its EXIF data, and a file that is none."""
    folder = workspace.dataset("mixed")
    make_pictures(folder / "a", 3, (64, 48))
    make_pictures(folder / "b", 2, (90, 30))
    exif = Image.Exif()
    exif[0x0112] = 6  # seen, its rows run from top to bottom at the right
    plane(96, 128).save(folder / "turned.png", exif=exif)
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


def test_folders_of_many_sizes_become_one_array(folder: Path) -> None:
    pictures = load_pictures([folder], 16, 12, steps=(step("cover", 16, 12),))

    assert pictures.images.shape == (6, 12, 16, 3)
    assert [each.path.name for each in pictures.skipped] == ["broken.png"]
    turned = pictures.images[0]  # files of a folder come before what is in folders below
    assert turned[6, 0, 1] > turned[6, -1, 1], "was not turned before it was scaled"


def test_pictures_too_small_for_the_cut_are_skipped_with_the_reason(folder: Path) -> None:
    pictures = load_pictures([folder], 40, 40, steps=(step("center_crop", 40, 40),))

    assert len(pictures.images) == 4
    reasons = {each.reason for each in pictures.skipped}
    assert "90x30 is too small to cut 40x40 out of it" in reasons


def test_where_no_picture_has_the_size_the_command_that_mends_it_is_told(folder: Path) -> None:
    with pytest.raises(DatasetError, match=r"is 90x30, not 7x7") as error:
        load_pictures([folder / "b"], 7, 7)
    assert "multitrain dataset convert" in str(error.value)
    assert str(error.value).endswith("b-7x7 --preprocess cover --load-size 7x7")


def test_the_cache_keeps_what_each_preprocessing_makes(
    workspace: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(kind: str) -> np.ndarray:
        which = workspace, ["mixed"], 64, 48, 3, (step(kind),)
        return open_pictures(*which, keep_free=0).images

    resized, covered = opened("resize"), opened("cover")
    assert len(list(workspace.cache.iterdir())) == 2
    assert (resized != covered).any()

    monkeypatch.setattr("multitrain.datasets.cached.cache.decode", None)  # nothing is decoded again
    np.testing.assert_array_equal(opened("resize"), resized)
    np.testing.assert_array_equal(opened("cover"), covered)


def test_the_key_stands_for_the_steps(workspace: Workspace, folder: Path) -> None:
    variants = [
        (),
        (step("resize"),),
        (step("cover"),),
        (step("resize", 80, 60), step("center_crop")),
        (step("resize", 80, 61), step("center_crop")),
    ]
    keys = {Listing.of(workspace, [folder], *SIZE, 3, steps).key for steps in variants}
    assert len(keys) == len(variants)


@pytest.mark.parametrize("width", [128, 129])
def test_halves_have_what_is_left_and_right_of_the_middle(width: int) -> None:
    picture = np.asarray(plane(width, 20))
    halves = {
        which: np.asarray(preprocessed(Image.fromarray(picture), [Step.half(which)]))
        for which in ("left", "right")
    }

    np.testing.assert_array_equal(halves["left"], picture[:, :64])
    np.testing.assert_array_equal(halves["right"], picture[:, -64:])
    assert Step.half("left").of(Resolution(width, 20)) == (64, 20)
    with pytest.raises(Unfit, match="has no halves"):
        Step.half("left").of(Resolution(1, 20))


def test_what_follows_is_done_to_halves() -> None:
    mode = Preprocessing.of("cover", SIZE, None, flip=False, half="left")
    assert mode.loaded(Resolution(640, 240)) == SIZE
    left = preprocessed(plane(640, 240), mode.fixed)
    assert spans(left) == about(0.0, 0.0, 0.5, 1.0)

from __future__ import annotations

import re

import pytest

from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import (
    AS_THEY_ARE,
    Preprocessing,
    Step,
    Unfit,
    checked_mode,
    steps_of,
    unfit_sizes,
)

SMALL, LARGE = Resolution(64, 48), Resolution(128, 96)


def square(side: int) -> Resolution:
    return Resolution(side, side)


def of(mode: str, load: Resolution | None = None, crop: Resolution | None = None) -> Preprocessing:
    assert unfit_sizes(mode, load, crop) == {}
    return Preprocessing.of(checked_mode(mode), load, crop, flip=False)


@pytest.mark.parametrize(
    ("mode", "load", "crop", "loaded", "seen"),
    [
        ("none", None, None, (320, 180), (320, 180)),
        ("resize", SMALL, None, (64, 48), (64, 48)),
        ("cover", SMALL, None, (64, 48), (64, 48)),
        ("scale_width", square(64), None, (64, 36), (64, 36)),
        ("center_crop", None, SMALL, (64, 48), (64, 48)),
        ("crop", None, SMALL, (320, 180), (64, 48)),
        ("resize_and_crop", LARGE, SMALL, (128, 96), (64, 48)),
        ("cover_and_center_crop", LARGE, SMALL, (64, 48), (64, 48)),
        ("scale_width_and_crop", square(160), SMALL, (160, 90), (64, 48)),
        ("scale_width_and_center_crop", square(160), SMALL, (64, 48), (64, 48)),
        ("center_crop_and_resize", SMALL, square(180), (64, 48), (64, 48)),
        ("center_crop_and_scale_width", square(60), square(180), (60, 60), (60, 60)),
    ],
)
def test_sizes_of_pictures_of_320x180(
    mode: str,
    load: Resolution | None,
    crop: Resolution | None,
    loaded: tuple[int, int],
    seen: tuple[int, int],
) -> None:
    preprocessing = of(mode, load, crop)
    found = preprocessing.loaded(Resolution(320, 180))
    assert found == loaded
    assert preprocessing.seen(found) == seen


def test_only_random_cuts_are_left_to_the_training() -> None:
    assert of("none") == AS_THEY_ARE
    assert of("cover_and_crop", LARGE, SMALL) == Preprocessing((Step("cover", LARGE),), SMALL)
    assert of("center_crop", None, SMALL) == Preprocessing((Step("center_crop", SMALL),))


def test_a_scaled_width_keeps_at_least_a_row() -> None:
    assert of("scale_width", square(2)).loaded(Resolution(1000, 3)) == (2, 1)


@pytest.mark.parametrize("size", [(63, 48), (64, 47)])
def test_pictures_too_small_for_a_cut(size: tuple[int, int]) -> None:
    with pytest.raises(Unfit, match=f"{size[0]}x{size[1]} is too small to cut 64x48 out of it"):
        of("center_crop", None, SMALL).loaded(Resolution(*size))
    with pytest.raises(Unfit, match="too small"):
        of("crop", None, SMALL).seen(Resolution(*size))


def test_the_words_of_a_mode_may_be_written_otherwise() -> None:
    assert checked_mode("Resize_and_Centre_Crop") == "resize_and_center_crop"
    assert steps_of("resize_and_center_crop") == ("resize", "center_crop")


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("resise", "must be none, or of .* one or two joined by _and_, not 'resise'; did you mean"),
        ("resize_and_", "must be none, or of"),
        ("none_and_crop", "must be none, or of"),
        ("crop_and_resize", "comes last: resize_and_crop"),
        ("resize_and_scale_width", "would scale twice, by resize and scale_width"),
        ("cover_and_cover", "would scale twice"),
        ("center_crop_and_crop", "would cut twice"),
        ("center_crop_and_resize_and_crop", "would cut twice"),
    ],
)
def test_modes_that_are_none(mode: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        checked_mode(mode)


@pytest.mark.parametrize(
    ("mode", "load", "crop", "column", "reason"),
    [
        ("none", SMALL, None, "load_size", "is for preprocess with .*not for none; leave it empty"),
        ("crop", SMALL, SMALL, "load_size", "not for crop"),
        ("none", None, SMALL, "crop_size", "is for preprocess with crop or center_crop"),
        ("resize", None, None, "load_size", "is empty, and preprocess resize needs it"),
        ("resize_and_crop", LARGE, None, "crop_size", "is empty"),
        ("scale_width", SMALL, None, "load_size", r"give the width alone \(64\)"),
        (
            "cover_and_crop",
            SMALL,
            LARGE,
            "crop_size",
            "128x96 cannot be cut by crop out of .*64x48",
        ),
        ("scale_width_and_crop", square(64), LARGE, "crop_size", "makes 64 wide"),
    ],
)
def test_sizes_that_do_not_go_with_the_mode(
    mode: str, load: Resolution | None, crop: Resolution | None, column: str, reason: str
) -> None:
    (told,) = unfit_sizes(mode, load, crop).items()
    assert told[0] == column
    assert re.search(reason, told[1])

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from jobs.errors import UsageError
from jobs.settings.kinds import Resolution
from jobs.settings.preprocess import Sides
from multitrain.datasets.filmed.frames import Still
from multitrain.datasets.video.crops import Box, cut, parse_crops, parse_scale

WIDE, TALL = Resolution(640, 360), Resolution(360, 640)


@pytest.mark.parametrize(
    ("text", "boxes"),
    [
        ("left,right", {"_left": Box(0, 0, 360, 360), "_right": Box(280, 0, 640, 360)}),
        ("center", {"": Box(140, 0, 500, 360)}),
        (" right , right", {"": Box(280, 0, 640, 360)}),
        ("none", {"": Box(0, 0, 640, 360)}),
        ("600x300+40+60", {"": Box(40, 60, 640, 360)}),
    ],
)
def test_boxes(text, boxes):
    assert {crop.name: crop.box(WIDE) for crop in parse_crops(text)} == boxes


def test_of_a_tall_picture_left_is_the_top():
    assert [crop.box(TALL) for crop in parse_crops("left,right")] == [
        Box(0, 0, 360, 360), Box(0, 280, 360, 640),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "box"),
    [
        ("left", Box(80, 10, 410, 340)),
        ("right", Box(220, 10, 550, 340)),
        ("none", Box(80, 10, 550, 340)),
        ("100x50+5+6", Box(85, 16, 185, 66)),
    ],
)
def test_crops_lie_in_what_is_left_of_a_shaved_picture(text, box):
    (crop,) = parse_crops(text, Sides(80, 90, 10, 20))
    assert crop.box(WIDE) == box


def test_nothing_is_left_of_a_shaved_picture():
    with pytest.raises(UsageError, match="is 360x640: cutting off 200,160,0,0 leaves nothing"):
        parse_crops("none", Sides(200, 160, 0, 0))[0].box(TALL)


@pytest.mark.parametrize("text", ["", "middle", "left,none", "0x5+0+0", "5x5", "left,5x5+0+0"])
def test_what_is_no_crop(text):
    with pytest.raises(UsageError, match="--crop"):
        parse_crops(text)


@pytest.mark.parametrize("area", ["600x300+41+60", "600x300+40+61"])
def test_an_area_outside(area):
    with pytest.raises(UsageError, match=r"does not lie in a picture of 640x360"):
        parse_crops(area)[0].box(WIDE)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("-1:256", (455, 256)),
        ("-2:256", (456, 256)),
        ("256:-1", (256, 144)),
        ("256:-16", (256, 144)),
        ("100:100", (100, 100)),
        ("-1:1", (2, 1)),
        ("none", (640, 360)),
    ],
)
def test_sizes(text, size):
    assert parse_scale(text).size(WIDE) == size


@pytest.mark.parametrize("text", ["", "256", "-1:-1", "0:5", "-1:0", "a:b", "1:99999", "1:2:3"])
def test_what_is_no_size(text):
    with pytest.raises(UsageError, match="--scale"):
        parse_scale(text)


def test_pixels_that_are_not_square_become_so():
    stripes = np.repeat(np.array([0, 80, 160, 240], np.uint8), 25)
    stored = np.ascontiguousarray(np.broadcast_to(stripes[None, :, None], (100, 100, 3)))
    still = Still(Image.fromarray(stored), seen=Resolution(200, 100))
    cuts = cut(still, parse_crops("left,right"), parse_scale("none"))
    left, right = (np.asarray(picture) for _, picture in cuts)
    assert left.shape == right.shape == (100, 100, 3)
    assert left[50, [10, 40, 60, 90], 0].tolist() == [0, 0, 80, 80]
    assert right[50, [10, 40, 60, 90], 0].tolist() == [160, 160, 240, 240]


def test_both_ends_of_a_square_are_cut_once():
    still = Still(Image.new("RGB", (50, 50)), seen=Resolution(50, 50))
    (only,) = cut(still, parse_crops("left,right"), parse_scale("-1:8"))
    assert (only[0].name, only[1].size) == ("_left", (8, 8))

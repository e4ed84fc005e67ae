from __future__ import annotations

import numpy as np
import pytest
from skimage.data import astronaut

from jobs.settings.kinds import Resolution
from multitrain.datasets.faces.cascades import read_cascade
from multitrain.datasets.faces.finding import Box, Face, find_faces, part_of
from tests.drawn_faces import scene

PICTURE, SQUARE = Resolution(300, 200), Resolution(64, 64)


def test_faces_of_any_size_are_found_once_from_left_to_right() -> None:
    places = (20, 20, 300), (400, 60, 200)  # more windows hit the right one
    picture = np.asarray(scene((640, 360), *places))
    cascade = read_cascade()
    faces = find_faces(picture, cascade)
    for face, (left, top, side) in zip(faces, places, strict=True):
        middle = face.left + face.width / 2 - left, face.top + face.height / 2 - top
        assert middle == pytest.approx((0.5 * side, 0.525 * side), abs=0.04 * side)
        assert face.width == pytest.approx(0.58 * side, rel=0.1)
    assert len(find_faces(picture, cascade, least=150)) == 1
    assert find_faces(picture[:, 300:420], cascade) == []


def test_the_face_of_a_photo_is_found() -> None:
    (face,) = find_faces(astronaut(), read_cascade())
    middle = face.left + face.width / 2, face.top + face.height / 2
    assert middle == pytest.approx((222, 118), abs=12)


@pytest.mark.parametrize(
    ("face", "margin", "shape", "box"),
    [
        ((100, 50, 60), 0.5, SQUARE, (70, 20, 190, 140)),
        ((100, 50, 60), 0.0, SQUARE, (100, 50, 160, 110)),
        ((0, 150, 50), 0.5, SQUARE, (0, 100, 100, 200)),  # moved in
        ((80, 40, 120), 1.0, SQUARE, (40, 0, 240, 200)),  # less margin
        ((100, 50, 60), 0.5, Resolution(160, 80), (10, 20, 250, 140)),
        ((100, 50, 60), 0.1, Resolution(32, 48), (94, 26, 166, 134)),
    ],
)
def test_a_part_is_the_face_with_a_margin_inside_of_the_picture(
    face: tuple[int, int, int], margin: float, shape: Resolution, box: Box
) -> None:
    left, top, side = face
    assert part_of(PICTURE, Face(left, top, side, side), margin, shape) == box

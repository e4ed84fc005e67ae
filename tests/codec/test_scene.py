"""Frames of a stream: pictures side by side, and a curve that scrolls below."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.settings.kinds import Resolution
from multitrain.codec.scene import DARK, LIGHT, SENT, Scene, noted

SIZE = Resolution(60, 40)
SCENE = Scene(("input", "output", "difference"), SIZE, curve=30)
WHITE, BLACK = (np.full((40, 60, 3), level, np.uint8) for level in (255, 0))


def test_pictures_stand_side_by_side() -> None:
    made = SCENE.draw(WHITE, BLACK, SCENE.curves())
    assert made.shape == SCENE.shape == (70, 180, 3)
    assert (made[:40, :60] == 255).all()
    assert (made[:40, 60:120] == 0).all()
    assert (made[:40, 120:] == 0).all(), "it is too dark by all there is"
    assert (SCENE.draw(WHITE, WHITE, SCENE.curves())[:40, 120:] == 128).all()
    assert (made[40:] == DARK).all(), "nothing was sent"


@pytest.mark.parametrize(("psnr", "row"), [(40.0, 0), (10.0, 29), (99.0, 0), (0.0, 29)])
def test_the_curve_says_how_good_frames_are(psnr: float, row: int) -> None:
    curves = SCENE.curves()
    for _ in range(2):
        curves = noted(curves, psnr, coded=800, weights=0)
    strip = SCENE.draw(WHITE, BLACK, curves)[40:]
    assert (strip[row, -2:] == LIGHT).all()


def test_sent_weights_are_a_bright_bar_that_wanders_to_the_left() -> None:
    curves = noted(noted(SCENE.curves(), 20.0, 800, weights=20_000), 20.0, 800, weights=0)
    strip = SCENE.draw(WHITE, BLACK, curves)[40:]
    bright = (strip == SENT).all(axis=-1)
    assert bright[:, -2].sum() > 15
    assert not bright[:, -1].any()

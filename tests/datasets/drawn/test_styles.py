"""Procedural pictures: functions of style, size, seed and number; varied; of any size."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.settings.kinds import Resolution
from multitrain.datasets.drawn.landscapes import draw_landscape
from multitrain.datasets.drawn.painting import noise, ramp, sample
from multitrain.datasets.drawn.styles import LANDSCAPES, MIX, STYLES, Drawing

SMALL = Resolution(32, 18)


@pytest.mark.parametrize("style", STYLES)
def test_a_picture_is_a_function_of_style_seed_and_number(style: str) -> None:
    drawing = Drawing(style, SMALL, 1, 2)
    assert drawing.pixels().tobytes() == drawing.pixels().tobytes()
    others = [drawing._replace(seed=2), drawing._replace(number=3)]
    pictures = {each.pixels().tobytes() for each in (drawing, *others)}
    assert len(pictures) == 3


@pytest.mark.parametrize("style", STYLES)
def test_pictures_of_a_style_vary_and_use_the_range_of_colours(style: str) -> None:
    pictures = np.stack([Drawing(style, SMALL, 1, number).pixels() for number in range(12)])
    assert pictures.shape == (12, 18, 32, 3)
    assert pictures.dtype == np.uint8
    assert pictures.max() > 200
    assert pictures.min() < 40
    assert pictures.mean(axis=(1, 2)).std(axis=0).min() > 8  # colours differ from one to the next
    assert pictures.std(axis=(1, 2)).mean() > 15  # and within each


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("size", [Resolution(8, 8), Resolution(9, 40), Resolution(70, 8)])
def test_any_size_can_be_drawn(style: str, size: Resolution) -> None:
    assert Drawing(style, size, 0, 0).pixels().shape == (size.height, size.width, 3)


@pytest.mark.parametrize("style", [each for each in STYLES if each != LANDSCAPES])
def test_a_larger_picture_is_the_same_picture(style: str) -> None:
    """Which landscapes are not: their random draws depend on their size."""
    small = Drawing(style, Resolution(64, 36), 1, 5).pixels().astype(float)
    large = Drawing(style, Resolution(128, 72), 1, 5).pixels().astype(float)
    shrunk = large.reshape(36, 2, 64, 2, 3).mean(axis=(1, 3))
    assert np.abs(shrunk - small).mean() < 6


def test_a_mix_takes_the_styles_in_turn() -> None:
    drawings = [Drawing(MIX, SMALL, 7, number) for number in range(len(STYLES) + 1)]
    assert [each.own_style for each in drawings] == [*STYLES, STYLES[0]]
    same = Drawing(STYLES[1], SMALL, 7, 1)
    assert drawings[1].pixels().tobytes() == same.pixels().tobytes()
    assert drawings[1].file_name == f"{STYLES[1]}_000001.png"


def test_landscapes_are_those_of_the_built_in_data_set() -> None:
    drawn = Drawing(LANDSCAPES, SMALL, 3, 4).pixels()
    random = np.random.default_rng([STYLES.index(LANDSCAPES), 3, 4])
    assert drawn.tobytes() == draw_landscape(int(random.integers(2**63)), *SMALL).tobytes()


def test_a_ramp_has_its_colours_at_its_ends_and_is_smooth() -> None:
    colours = ramp("102030", "f0e0d0")
    assert np.rint(colours[[0, -1]] * 255).astype(int).tolist() == [
        [0x10, 0x20, 0x30],
        [0xF0, 0xE0, 0xD0],
    ]
    assert np.abs(np.diff(colours, axis=0)).max() < 0.01


def test_a_turned_ramp_keeps_greys_and_comes_round() -> None:
    grey = ramp("808080", "808080", turn=0.3)
    assert np.abs(grey * 255 - 0x80).max() < 1
    assert np.abs(ramp("c04020", "2040c0", turn=1.0) - ramp("c04020", "2040c0")).max() < 1e-3
    assert np.abs(ramp("c04020", "2040c0", turn=0.3) - ramp("c04020", "2040c0")).max() > 0.2


def test_noise_is_periodic_and_normalised() -> None:
    texture = noise(np.random.default_rng(0), 1.5)
    assert abs(texture.mean()) < 1e-4
    assert texture.std() == pytest.approx(1, abs=1e-4)
    x, y = np.meshgrid(np.linspace(0, 1, 20), np.linspace(0, 1, 20))
    assert np.abs(sample(texture, x, y) - sample(texture, x + 300, y - 200)).max() < 1e-3

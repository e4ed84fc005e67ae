"""Colours go into networks and come back, on whichever engine this process has."""

from __future__ import annotations

from typing import Any, get_args

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from jobs.settings.colours import CHANNELS, ColourModel
from multitrain.networks.colours import to_network, to_picture
from tests.combinations import first_on_jax

MODELS = get_args(ColourModel)
IN_COLOUR: tuple[ColourModel, ...] = ("rgb", "hsv", "hsl", "lab", "ycbcr", "packed24")

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
YELLOW, CYAN, MAGENTA = (255, 255, 0), (0, 255, 255), (255, 0, 255)
BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def numpy_of(tensor: Any) -> NDArray[Any]:
    array: NDArray[Any] = keras.ops.convert_to_numpy(tensor)
    return array


def seen(model: ColourModel, *colours: tuple[int, ...]) -> NDArray[np.float32]:
    """What a network sees of these colours: `(n, network channels)`."""
    return numpy_of(to_network(model, np.array(colours, np.uint8)))


def there_and_back(model: ColourModel, pictures: NDArray[np.uint8]) -> NDArray[np.int16]:
    return numpy_of(to_picture(model, to_network(model, pictures))).astype(np.int16)


def many_colours() -> NDArray[np.uint8]:
    """`(n, 3)`: every fifth level of each channel, all greys, and what is drawn at random."""
    levels = np.arange(0, 256, 5)
    grid = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 3)
    greys = np.repeat(np.arange(256)[:, None], 3, axis=1)
    drawn = np.random.default_rng(0).integers(0, 256, (100_000, 3))
    return np.concatenate([grid, greys, drawn]).astype(np.uint8)


@pytest.mark.long_on_jax
@pytest.mark.parametrize("model", ["rgb", "packed24"])
def test_every_colour_comes_back_exactly(model: ColourModel) -> None:
    part = 2**21
    for start in range(0, 2**24, part):
        numbers = np.arange(start, start + part)
        colours = np.stack([numbers >> 16, numbers >> 8 & 255, numbers & 255], axis=-1)
        np.testing.assert_array_equal(there_and_back(model, colours.astype(np.uint8)), colours)


@pytest.mark.parametrize("model", ["hsv", "hsl", "lab", "ycbcr"])
def test_colours_come_back_to_a_level(model: ColourModel) -> None:
    colours = many_colours()
    assert np.abs(there_and_back(model, colours) - colours).max() <= 1


@pytest.mark.long_on_jax
def test_grey_keeps_the_luma_and_greys_exactly() -> None:
    greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    np.testing.assert_array_equal(there_and_back("grey", greys), greys)
    np.testing.assert_array_equal(
        there_and_back("grey", np.array([RED, GREEN, BLUE], np.uint8)),
        [[54] * 3, [182] * 3, [18] * 3],
    )


def test_rgba_keeps_colour_and_alpha() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (500, 4), dtype=np.uint8)
    np.testing.assert_array_equal(there_and_back("rgba", pixels), pixels)


@pytest.mark.parametrize("model", first_on_jax(MODELS))
def test_channels_and_range(model: ColourModel) -> None:
    network, picture = CHANNELS[model]
    pictures = np.random.default_rng(2).integers(0, 256, (2, 5, 4, picture), dtype=np.uint8)
    values = numpy_of(to_network(model, pictures))
    assert (values.shape, values.dtype) == ((2, 5, 4, network), np.float32)
    assert np.abs(values).max() <= 1
    assert there_and_back(model, pictures).shape == pictures.shape


@pytest.mark.parametrize("model", ["hsv", "hsl", "lab", "ycbcr"])
def test_no_colour_leaves_the_range(model: ColourModel) -> None:
    assert np.abs(numpy_of(to_network(model, many_colours()))).max() <= 1


@pytest.mark.parametrize("model", first_on_jax(MODELS))
def test_anything_that_a_network_makes_is_a_colour(model: ColourModel) -> None:
    """Cut off, not wrapped around: levels are continuous in what a network makes."""
    network, channels = CHANNELS[model]
    values = np.random.default_rng(3).uniform(-1, 1, (20_000, network)).astype(np.float32)
    corners = np.stack(np.meshgrid(*[[-1.0, 0.0, 1.0]] * network), axis=-1).reshape(-1, network)
    values = np.concatenate([values, corners.astype(np.float32)])
    picture = numpy_of(to_picture(model, values))
    assert (picture.shape, picture.dtype) == ((len(values), channels), np.uint8)
    if model != "packed24":
        near = numpy_of(to_picture(model, values * np.float32(1 - 1e-6)))
        assert np.abs(near.astype(int) - picture).max() <= 1


def test_rgb_has_the_bits_that_it_always_had() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(-1, 1).repeat(3, axis=1)
    wanted = levels.astype(np.float32) * np.float32(2 / 255) - np.float32(1)
    np.testing.assert_array_equal(numpy_of(to_network("rgb", levels)), wanted)
    made = np.linspace(-1.2, 1.2, 30_000, dtype=np.float32).reshape(-1, 3)
    light = np.round((made + np.float32(1)) * np.float32(127.5)).clip(0, 255).astype(np.uint8)
    np.testing.assert_array_equal(numpy_of(to_picture("rgb", made)), light)


@pytest.mark.long_on_jax
def test_hue_is_a_place_on_the_circle() -> None:
    hues = seen("hsv", RED, YELLOW, GREEN, CYAN, BLUE, MAGENTA)
    turns = np.arange(6) * np.pi / 3
    np.testing.assert_allclose(hues[:, 0], np.sin(turns), atol=1e-6)
    np.testing.assert_allclose(hues[:, 1], np.cos(turns), atol=1e-6)
    np.testing.assert_allclose(hues[:, 2:], 1)
    np.testing.assert_array_equal(
        hues[:, :2], seen("hsl", *[RED, YELLOW, GREEN, CYAN, BLUE, MAGENTA])[:, :2]
    )


def test_only_the_direction_of_a_hue_counts() -> None:
    on_circle = np.array([[0.6, 0.8, 1, 1], [-0.6, 0.8, 0, 1]], np.float32)
    within = on_circle * np.array([0.1, 0.1, 1, 1], np.float32)
    np.testing.assert_array_equal(
        numpy_of(to_picture("hsv", within)), numpy_of(to_picture("hsv", on_circle))
    )


@pytest.mark.long_on_jax
def test_saturation_and_lightness() -> None:
    np.testing.assert_allclose(seen("hsl", RED)[0], [0, 1, 1, 0], atol=1e-6)
    np.testing.assert_allclose(seen("hsl", WHITE, BLACK)[:, 2:], [[-1, 1], [-1, -1]])
    np.testing.assert_allclose(seen("hsv", WHITE, BLACK)[:, 2:], [[-1, 1], [-1, -1]])
    half = seen("hsv", (100, 50, 50))[0]
    np.testing.assert_allclose(half, [0, 1, 0, 200 / 255 - 1], atol=1e-6)


@pytest.mark.long_on_jax
def test_lab_is_that_of_the_cie() -> None:
    """Values of L*, a*, b* as tables of sRGB under D65 give them."""
    scale = np.array([50, 110, 110])
    lab = seen("lab", WHITE, BLACK, RED, GREEN, BLUE) * scale + [50, 0, 0]
    wanted = [
        [100, 0, 0],
        [0, 0, 0],
        [53.24, 80.09, 67.2],
        [87.73, -86.18, 83.18],
        [32.3, 79.19, -107.86],
    ]
    np.testing.assert_allclose(lab, wanted, atol=0.05)


@pytest.mark.long_on_jax
def test_ycbcr_is_that_of_bt_709_in_full_range() -> None:
    luma, to_blue, to_red = seen("ycbcr", WHITE, BLACK, RED, GREEN, BLUE).T
    np.testing.assert_allclose(luma, [1, -1, -0.5748, 0.4304, -0.8556], atol=1e-6)
    np.testing.assert_allclose(to_blue, [0, 0, -0.229144, -0.770856, 1], atol=1e-6)
    np.testing.assert_allclose(to_red, [0, 0, 1, -0.908306, -0.091694], atol=1e-6)


def test_packed_is_one_whole_number() -> None:
    values = seen("packed24", BLACK, (0, 0, 1), (128, 0, 0), WHITE)[:, 0]
    np.testing.assert_array_equal(values * 2**23, [-(2**23), 1 - 2**23, 0, 2**23 - 1])
    ends = numpy_of(to_picture("packed24", np.array([[-1], [1]], np.float32)))
    np.testing.assert_array_equal(ends, [BLACK, WHITE])


@pytest.mark.parametrize("model", first_on_jax(MODELS))
def test_a_compiler_makes_the_same_of_it(model: ColourModel) -> None:
    """Within the last bits, which cost at most a level."""
    colours = np.random.default_rng(4).integers(0, 256, (3, 8, 8, CHANNELS[model].picture))
    pictures = colours.astype(np.uint8)
    if keras.backend.backend() == "jax":
        import jax

        compiled = jax.jit(lambda each: to_picture(model, to_network(model, each)))
    else:
        import tensorflow as tf

        compiled = tf.function(
            lambda each: to_picture(model, to_network(model, each)), jit_compile=True
        )
    back = numpy_of(compiled(pictures)).astype(np.int16)
    assert np.abs(back - there_and_back(model, pictures)).max() <= (0 if model == "packed24" else 1)

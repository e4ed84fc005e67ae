"""Superpixels are k-means of colours and places, as a loop over all pixels has it."""

from __future__ import annotations

import numpy as np
import pytest

from multitrain.networks.colours import LAB_REACH, to_network
from multitrain.networks.making import blurred
from multitrain.networks.superpixels import BLUR, LIGHTNESS, flat_areas


def lab_of(picture: np.ndarray) -> np.ndarray:
    levels = blurred((picture[None] + 1) * 127.5, BLUR)
    return np.asarray(to_network("lab", levels))[0] * [LIGHTNESS, LAB_REACH, LAB_REACH]


def by_hand(picture: np.ndarray, grid: tuple[int, int], compactness: float, rounds: int):
    """With so many rows and columns of cells, which divide the picture evenly."""
    height, width = picture.shape[:2]
    tall, wide = height // grid[0], width // grid[1]
    unit = compactness / np.sqrt(tall * wide)
    features = np.concatenate(
        [lab_of(picture), np.indices((height, width)).transpose(1, 2, 0) * unit], axis=-1
    )
    homes = np.array([[(y // tall, x // wide) for x in range(width)] for y in range(height)])
    labels = homes.copy()

    def means(values: np.ndarray, before: dict | None = None) -> dict:
        found = {}
        for cell in np.ndindex(*grid):
            own = (labels == cell).all(axis=-1)
            found[cell] = values[own].mean(axis=0) if own.any() else before and before[cell]
        return found

    def choose(centres: dict) -> None:
        for y, x in np.ndindex(height, width):
            row, column = homes[y, x]
            around = [
                (r, c)
                for r in range(row - 1, row + 2)
                for c in range(column - 1, column + 2)
                if (r, c) in centres
            ]
            labels[y, x] = min(
                around, key=lambda cell: np.square(features[y, x] - centres[cell]).sum()
            )

    centres = means(features)
    for _ in range(rounds):
        choose(centres)
        centres = means(features, centres)
    choose(centres)
    colours = means(picture)
    return np.array([[colours[tuple(labels[y, x])] for x in range(width)] for y in range(height)])


def test_they_are_what_a_loop_makes() -> None:
    picture = np.random.default_rng(3).uniform(-1, 1, (12, 16, 3)).astype(np.float32)

    flat = np.asarray(flat_areas(picture[None], picture[None], 12, 5.0, 3))[0]

    wanted = by_hand(picture, (3, 4), 5.0, 3)
    same = np.abs(flat - wanted).max(axis=-1) < 1e-4
    assert same.mean() > 0.97, "but for pixels as far from one as from another"


@pytest.mark.long_on_jax
def test_areas_follow_edges_and_keep_what_is_flat() -> None:
    picture = np.full((1, 24, 24, 3), -0.5, np.float32)
    picture[:, :, 13:] = (0.9, 0.2, -0.8)  # between the cells' borders, at 12 and 18

    flat = np.asarray(flat_areas(picture, picture, 16, 10.0, 10))

    far_from_the_edge = np.r_[0:11, 15:24]
    np.testing.assert_allclose(
        flat[:, :, far_from_the_edge], picture[:, :, far_from_the_edge], atol=0.02
    )


@pytest.mark.long_on_jax
@pytest.mark.parametrize(("height", "width", "areas"), [(10, 10, 49), (7, 33, 200), (5, 5, 1)])
def test_any_size_has_some(height: int, width: int, areas: int) -> None:
    picture = np.random.default_rng(0).uniform(-1, 1, (2, height, width, 4)).astype(np.float32)

    flat = np.asarray(flat_areas(picture, picture[..., :3], areas, 10.0, 4))

    assert flat.shape == picture.shape
    assert np.isfinite(flat).all()
    np.testing.assert_allclose(flat.mean(axis=(1, 2)), picture.mean(axis=(1, 2)), atol=1e-5)
    if areas == 1:
        assert np.ptp(flat, axis=(1, 2)).max() < 1e-6

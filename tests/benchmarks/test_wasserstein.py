"""How alike sets of pictures are, told by patches of all sizes; and which pictures are compared."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from benchmarks import quality, standard, wasserstein
from benchmarks.wasserstein import distance, distances
from jobs.errors import UsageError


@pytest.fixture
def landscapes(monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    monkeypatch.setattr(wasserstein, "PATCHES", 1024)
    return standard.landscapes(24, 96, 64)


def test_pictures_of_a_kind_are_nearer_than_others(landscapes: np.ndarray) -> None:
    noise = np.random.default_rng(0).integers(0, 256, landscapes.shape, dtype=np.uint8)
    apart = distance(landscapes[::2], landscapes[1::2])
    assert distance(landscapes, landscapes) < apart < distance(noise, landscapes) / 3


def test_what_is_blurred_differs_in_its_finest_details(landscapes: np.ndarray) -> None:
    random = np.random.default_rng(0)
    grain = random.normal(0, 12, landscapes.shape)
    sharp = np.clip(landscapes + grain, 0, 255).astype(np.uint8)
    blurred = np.stack([cv2.GaussianBlur(each, (0, 0), 2) for each in sharp])
    finest, *_, coarsest = distances(blurred, sharp)
    assert finest > 4 * coarsest


def test_tiles_are_trained_on_or_held_out(tmp_path: Path) -> None:
    pixels = np.indices((70, 100)).sum(axis=0)[..., None].repeat(3, axis=2).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    train, held_out = quality._pictures(tmp_path, 32)
    assert train.shape == held_out.shape == (3, 32, 32, 3)
    corners = {int(each[0, 0, 0]) for each in (*train, *held_out)}
    assert corners == {0, 32, 64, 96}, "of two rows of three"


def test_photos_that_are_too_small_are_told(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40)).save(tmp_path / "photo.png")
    with pytest.raises(UsageError, match="no photos that two tiles of 32"):
        quality._pictures(tmp_path, 32)

"""Measures of quality, beside those of TensorFlow and scikit-image, and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf
from skimage import metrics as skimage

from multitrain.datasets.drawn.landscapes import draw_landscape
from multitrain.networks.metrics import brightness, measures, quality
from multitrain.networks.quality import Quality

WANTED = draw_landscape(1, 200, 180)[None]
MADE = (
    np.clip(WANTED + np.random.default_rng(0).normal(0, 12, WANTED.shape), 0, 255)
    .round()
    .astype(np.uint8)
)


def test_signal_to_noise_is_scikit_images_and_that_of_a_hand() -> None:
    found = quality(MADE, WANTED, shave=0)
    assert found.psnr_rgb == pytest.approx(
        skimage.peak_signal_noise_ratio(WANTED, MADE, data_range=255), abs=1e-3
    )
    ys = [
        16 + (65.481 * x[..., 0] + 128.553 * x[..., 1] + 24.966 * x[..., 2]) / 255
        for x in (MADE[0].astype(float), WANTED[0].astype(float))
    ]
    by_hand = 10 * math.log10(255**2 / np.square(ys[0] - ys[1]).mean())
    assert found.psnr_y == pytest.approx(by_hand, abs=1e-3)
    assert quality(WANTED, WANTED, shave=0).psnr_y == pytest.approx(88.13, abs=0.01), "no infinity"


def test_similarities_are_tensorflows() -> None:
    found = quality(MADE, WANTED, shave=0)
    ys = [brightness(tf.cast(each, "float32")) for each in (MADE, WANTED)]
    assert found.ssim == pytest.approx(float(tf.image.ssim(*ys, 255)[0]), abs=1e-4)
    assert found.ms_ssim == pytest.approx(float(tf.image.ssim_multiscale(*ys, 255)[0]), abs=1e-4)


def test_edges_are_shaved_and_values_are_whole_levels() -> None:
    framed = MADE.astype(np.float32)
    framed[:, :3] = framed[:, :, -3:] = 0
    inside = quality(MADE[:, 3:-3, 3:-3], WANTED[:, 3:-3, 3:-3], shave=0)
    assert quality(framed, WANTED, shave=3) == pytest.approx(inside)
    assert quality(MADE + 0.3, WANTED, shave=0) == quality(MADE, WANTED, shave=0)
    assert quality(np.full_like(MADE, 255) + 40.0, WANTED, shave=0) == quality(
        np.full_like(MADE, 255), WANTED, shave=0
    ), "beyond white is white"


def test_what_a_device_measures_is_the_same() -> None:
    found = quality(MADE, WANTED, shave=0)
    assert np.asarray(measures(MADE, WANTED)) == pytest.approx([found.psnr_y, found.ssim], abs=1e-4)


def test_a_mean_is_that_of_each_measure() -> None:
    one, other = Quality(30, 20, 0.9, 0.8), Quality(32, 21, 0.7, 0.6)
    assert Quality.mean([one, other]) == pytest.approx(Quality(31, 20.5, 0.8, 0.7, None))

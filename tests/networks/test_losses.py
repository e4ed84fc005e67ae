"""Losses against calculations by hand, in plain NumPy."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from jobs.settings.choices import Loss
from multitrain.networks.judgement import Judgement
from multitrain.networks.losses import GanLosses

REAL = np.array([[2.0], [-1.0], [0.5]])
FAKE = np.array([[0.5], [3.0], [-2.0]])


def judged(logits: np.ndarray, features: np.ndarray | None = None) -> Judgement:
    features = np.zeros((len(logits), 1)) if features is None else features
    return Judgement(logits.astype(np.float32), features.astype(np.float32))


def losses(name: str, **more: float) -> tuple[float, float]:
    """Of the discriminator and of the generator."""
    chosen = GanLosses(Loss.parse(name), **more)
    real, fake = judged(REAL), judged(FAKE)
    seen = real if chosen.generator_sees_pictures else None
    return float(chosen.discriminator(real, fake)), float(chosen.generator(seen, fake))


def log_sigmoid(x: np.ndarray) -> np.ndarray:
    return -np.log(1 + np.exp(-x))


def test_vanilla_is_cross_entropy() -> None:
    wanted = (
        -log_sigmoid(REAL).mean() - log_sigmoid(-FAKE).mean(),
        -log_sigmoid(FAKE).mean(),
    )

    assert losses("vanilla") == pytest.approx(wanted)


def test_smooth_labels_are_a_little_less_than_one() -> None:
    d = -(0.9 * log_sigmoid(REAL) + 0.1 * log_sigmoid(-REAL)).mean() - log_sigmoid(-FAKE).mean()

    assert losses("vanilla", label_smoothing=0.1) == pytest.approx((d, losses("vanilla")[1]))
    assert losses("lsgan", label_smoothing=0.1)[0] == pytest.approx(
        0.5 * ((REAL - 0.9) ** 2).mean() + 0.5 * (FAKE**2).mean()
    )


def test_lsgan_is_squares() -> None:
    wanted = 0.5 * ((REAL - 1) ** 2).mean() + 0.5 * (FAKE**2).mean(), 0.5 * ((FAKE - 1) ** 2).mean()

    assert losses("lsgan") == pytest.approx(wanted)


def test_hinge_cares_for_what_is_not_clear_yet() -> None:
    # Of the pictures 2 is clear, -1 lacks 2, 0.5 lacks 0.5; of the fakes -2 is clear.
    assert losses("hinge") == pytest.approx(((2 + 0.5) / 3 + (1.5 + 4) / 3, -0.5))


def test_wgan_is_the_difference_of_the_means() -> None:
    assert losses("wgan-gp") == pytest.approx((0.5 - 0.5, -0.5))


def test_relativistic_is_against_the_mean_of_the_other_side() -> None:
    # Both means are 0.5, which pictures and fakes are above by these.
    above, below = np.array([1.5, -1.5, 0.0]), np.array([0.0, 2.5, -2.5])
    d = -log_sigmoid(above).mean() - log_sigmoid(-below).mean()
    g = -log_sigmoid(below).mean() - log_sigmoid(-above).mean()

    assert losses("relativistic") == pytest.approx((d, g))


def test_the_other_kinds_are_relativistic_likewise() -> None:
    above, below = np.array([1.5, -1.5, 0.0]), np.array([0.0, 2.5, -2.5])  # as before

    def squares(one: np.ndarray, other: np.ndarray) -> float:
        return 0.5 * (((one - 1) ** 2).mean() + ((other + 1) ** 2).mean())

    def margins(one: np.ndarray, other: np.ndarray) -> float:
        return np.maximum(0, 1 - one).mean() + np.maximum(0, 1 + other).mean()

    assert losses("lsgan(relativistic=True)") == pytest.approx(
        (squares(above, below), squares(below, above))
    )
    assert losses("hinge(relativistic=True)") == pytest.approx(
        (margins(above, below), margins(below, above))
    )
    assert losses("vanilla(relativistic=True)") == losses("relativistic")


def test_what_is_shown_with_its_origin_is_compared_with_the_same_alone() -> None:
    """Two items of two places each: means are over the places of an item."""
    real, fake = judged(np.array([[1.0, 3.0], [0.0, 0.0]])), judged(np.array([[0.0, 1.0], [4, 2]]))
    chosen = GanLosses(Loss.parse("lsgan(relativistic=True)"), by_item=True)
    above, below = np.array([0.5, 2.5, -3, -3]), np.array([-2.0, -1.0, 4, 2])

    wanted = 0.5 * (((above - 1) ** 2).mean() + ((below + 1) ** 2).mean())
    assert float(chosen.discriminator(real, fake)) == pytest.approx(wanted)


def test_the_penalty_is_of_the_length_of_each_pictures_slope() -> None:
    slopes = np.zeros((3, 2, 2, 1), np.float32)
    slopes[0, 0, 0, 0], slopes[0, 1, 1, 0] = 3, 4  # 5 long
    slopes[1, 0, 1, 0] = 1

    found = float(GanLosses(Loss.parse("wgan-gp")).gradient_penalty(slopes))

    assert found == pytest.approx(10 * ((5 - 1) ** 2 + 0 + 1) / 3)
    assert float(
        GanLosses(Loss.parse("wgan-gp(weight=2)")).gradient_penalty(slopes)
    ) == pytest.approx(found / 5)


def test_features_are_matched_by_their_means() -> None:
    chosen = GanLosses(Loss.parse("lsgan"), feature_matching=3.0)
    real = judged(REAL, np.array([[1.0, 2.0], [3.0, 2.0], [2.0, 2.0]]))  # means: 2, 2
    fake = judged(FAKE, np.array([[0.0, 4.0], [0.0, 4.0], [0.0, 1.0]]))  # means: 0, 3

    more = float(chosen.generator(real, fake)) - losses("lsgan")[1]

    assert chosen.generator_sees_pictures
    assert more == pytest.approx(3 * (4 + 1) / 2)


def test_far_logits_stay_finite() -> None:
    far = judged(np.array([[-90.0], [90.0]]))
    for name in Loss.TABLE:
        chosen = GanLosses(Loss.parse(name))
        assert np.isfinite(float(chosen.discriminator(far, far)))
        assert np.isfinite(float(chosen.generator(far, far)))


def test_the_penalty_of_no_slope_at_all_has_a_gradient() -> None:
    chosen = GanLosses(Loss.parse("wgan-gp"))
    if keras.backend.backend() == "jax":
        import jax

        gradient = jax.grad(chosen.gradient_penalty)(np.zeros((1, 2, 2, 1), np.float32))
    else:
        import tensorflow as tf

        slopes = tf.zeros((1, 2, 2, 1))
        with tf.GradientTape() as tape:
            tape.watch(slopes)
            penalty = chosen.gradient_penalty(slopes)
        gradient = tape.gradient(penalty, slopes)
    assert np.isfinite(np.asarray(gradient)).all()

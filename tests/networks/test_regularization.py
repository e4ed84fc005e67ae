from __future__ import annotations

import numpy as np
import pytest

from multitrain.networks.regularization import Dropout, InjectedNoise, Noise, RandomLayer

X = np.full((50, 4, 5, 8), 2.0, np.float32)


@pytest.mark.parametrize("layer", [Dropout(0.5, 1), Noise(0.5, 1)], ids=["dropout", "noise"])
def test_nothing_happens_but_in_training(layer: RandomLayer) -> None:
    np.testing.assert_array_equal(layer(X), X)
    np.testing.assert_array_equal(layer(X, training=False), X)


def test_dropout_leaves_out_its_share_and_keeps_the_mean() -> None:
    made = np.asarray(Dropout(0.25, 1)(X, training=True))

    assert (made == 0).mean() == pytest.approx(0.25, abs=0.02)
    np.testing.assert_allclose(made[made != 0], 2 / 0.75, rtol=1e-6)


def test_noise_is_normal_around_what_is_there() -> None:
    added = np.asarray(Noise(0.5, 1)(X, training=True)) - 2

    assert added.mean() == pytest.approx(0, abs=0.02)
    assert added.std() == pytest.approx(0.5, rel=0.03)
    assert (np.abs(added) > 1.0).mean() == pytest.approx(0.0455, rel=0.15)  # two deviations


def test_draws_follow_from_the_seed_and_differ_from_call_to_call() -> None:
    one, same, other = Noise(1.0, 1), Noise(1.0, 1), Noise(1.0, 2)
    first = [np.asarray(layer(X, training=True)) for layer in (one, same, other)]

    np.testing.assert_array_equal(first[0], first[1])
    assert (first[0] != first[2]).mean() > 0.99
    assert (np.asarray(one(X, training=True)) != first[0]).mean() > 0.99


def test_the_name_of_the_counter_is_that_of_the_layer() -> None:
    layer = Dropout(0.5, 1, name="dropout_3")

    assert [each.path for each in layer.variables] == ["dropout_3/seed_generator_state"]


def test_injected_noise_is_as_strong_as_it_learns_and_alike_in_all_channels() -> None:
    layer = InjectedNoise(1)
    np.testing.assert_array_equal(layer(X, training=True), X)  # it begins without any

    layer.strength.assign(0.5)
    added = np.asarray(layer(X, training=True)) - 2

    assert added.std() == pytest.approx(0.5, rel=0.1)
    np.testing.assert_allclose(added, np.broadcast_to(added[..., :1], added.shape))
    np.testing.assert_array_equal(layer(X, training=False), X)

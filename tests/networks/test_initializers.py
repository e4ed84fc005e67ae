from __future__ import annotations

import numpy as np
import pytest

from multitrain.networks.initializers import Filled, Normal


def drawn(*arguments: object, shape: tuple[int, ...] = (40, 500)) -> np.ndarray:
    return np.asarray(Normal(*arguments)(shape, "float32"))


def test_normal_is_normal() -> None:
    values = drawn(0.5, 1)
    assert values.dtype == np.float32
    assert values.mean() == pytest.approx(0, abs=0.02)
    assert values.std() == pytest.approx(0.5, rel=0.02)
    assert (np.abs(values) > 1.0).mean() == pytest.approx(0.0455, rel=0.15)  # two deviations


def test_truncated_is_cut_at_two_deviations_and_not_clipped() -> None:
    values = drawn(0.5, 1, True)
    assert np.abs(values).max() <= 1.0
    assert values.std() == pytest.approx(0.5 * 0.8796, rel=0.02)  # of a normal cut there
    assert len(np.unique(np.abs(values))) > 0.99 * values.size


def test_the_seed_says_all() -> None:
    np.testing.assert_array_equal(drawn(1.0, 7), drawn(1.0, 7))
    assert (drawn(1.0, 7) != drawn(1.0, 8)).mean() > 0.99


def test_filled() -> None:
    np.testing.assert_array_equal(Filled(2.0)((2, 3), "float32"), np.full((2, 3), 2.0))

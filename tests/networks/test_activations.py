from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from jobs.spec import Activation
from multitrain.networks.activations import ACTIVATIONS, repeated

X = np.array([[-2.0, 0.0, 8.0]], np.float32)


def test_every_name_that_a_sheet_may_use_is_there() -> None:
    assert set(ACTIVATIONS) == set(get_args(Activation))


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("relu", [0, 0, 8]),
        ("relu6", [0, 0, 6]),
        ("lrelu", [-0.4, 0, 8]),
        ("elu", [np.exp(-2) - 1, 0, 8]),
        ("crelu", [0, 0, 8, 2, 0, 0]),
        ("selu", [1.0507 * 1.67326 * (np.exp(-2) - 1), 0, 1.0507 * 8]),
        ("tanh", np.tanh([-2, 0, 8])),
        ("sigmoid", [1 / (1 + np.exp(2)), 0.5, 1 / (1 + np.exp(-8))]),
        ("softplus", np.log1p(np.exp([-2, 0, 8]))),
        ("softsign", [-2 / 3, 0, 8 / 9]),
        ("softmax", np.exp([-2, 0, 8]) / np.exp([-2, 0, 8]).sum()),
        ("swish", [-2 / (1 + np.exp(2)), 0, 8 / (1 + np.exp(-8))]),
    ],
)
def test_values(name: Activation, wanted: list[float]) -> None:
    np.testing.assert_allclose(ACTIVATIONS[name](X)[0], wanted, atol=1e-4)


def test_a_short_list_starts_over() -> None:
    relu, tanh = ACTIVATIONS["relu"], ACTIVATIONS["tanh"]

    assert repeated(("relu", "tanh"), 5) == [relu, tanh, relu, tanh, relu]

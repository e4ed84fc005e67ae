from __future__ import annotations

import numpy as np
import pytest

from jobs.settings.choices import Activation
from multitrain.networks.activations import activation

X = np.array([[-2.0, 0.0, 8.0]], np.float32)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("relu", [0, 0, 8]),
        ("relu6", [0, 0, 6]),
        ("lrelu", [-0.4, 0, 8]),
        ("lrelu(0.5)", [-1, 0, 8]),
        ("elu", [np.exp(-2) - 1, 0, 8]),
        ("elu(alpha=2)", [2 * (np.exp(-2) - 1), 0, 8]),
        ("crelu", [0, 0, 8, 2, 0, 0]),
        ("selu", [1.0507 * 1.67326 * (np.exp(-2) - 1), 0, 1.0507 * 8]),
        ("gelu", [-2 * 0.02275, 0, 8]),
        ("mish", [-2 * np.tanh(np.log1p(np.exp(-2))), 0, 8]),
        ("sine", np.sin([-2, 0, 8])),
        ("sine(30)", np.sin([-60, 0, 240])),
        ("tanh", np.tanh([-2, 0, 8])),
        ("sigmoid", [1 / (1 + np.exp(2)), 0.5, 1 / (1 + np.exp(-8))]),
        ("softplus", np.log1p(np.exp([-2, 0, 8]))),
        ("softsign", [-2 / 3, 0, 8 / 9]),
        ("softmax", np.exp([-2, 0, 8]) / np.exp([-2, 0, 8]).sum()),
        ("swish", [-2 / (1 + np.exp(2)), 0, 8 / (1 + np.exp(-8))]),
    ],
)
def test_values(text: str, wanted: list[float]) -> None:
    np.testing.assert_allclose(activation(Activation.parse(text))(X)[0], wanted, atol=1e-4)


@pytest.mark.parametrize("name", Activation.TABLE)
def test_every_name_that_a_sheet_may_use_is_there(name: str) -> None:
    assert np.isfinite(activation(Activation(name))(X)).all()


def test_glu_gates_half_of_the_channels_by_the_others() -> None:
    made = activation(Activation("glu"))(np.array([[3.0, -2.0, 0.0, 40.0]], np.float32))

    np.testing.assert_allclose(made, [[1.5, -2.0]])

from __future__ import annotations

import inspect
from collections.abc import Callable

import keras
import numpy as np
import pytest

from jobs.settings.choices import Clipping, Optimizer
from multitrain.engine.model import Learning
from multitrain.engine.optimizers import OPTIMIZERS, clipped, learning_rate, optimizer_of

MakeLearning = Callable[..., Learning]


def rates(learning: Learning, updates: list[int]) -> list[float]:
    """Relative to the rate that the job asks for."""
    schedule = learning_rate(learning)
    return [float(schedule(keras.ops.convert_to_tensor(each))) / 0.01 for each in updates]


def test_the_table_of_optimizers_is_that_of_the_sheet() -> None:
    assert OPTIMIZERS.keys() == Optimizer.TABLE.keys()


@pytest.mark.parametrize("name", Optimizer.TABLE)
def test_parameters_and_their_defaults_are_those_of_keras(
    name: str, learning: MakeLearning
) -> None:
    signature = inspect.signature(OPTIMIZERS[name]).parameters
    for parameter, (_, default, _) in Optimizer.TABLE[name].items():
        if default is not None and (name, parameter) != ("adam", "epsilon"):
            assert (signature[parameter].default or 0) == default, parameter

    built = optimizer_of(learning(name), []).get_config()

    for parameter, (_, default, _) in Optimizer.TABLE[name].items():
        assert built[parameter] == (0.5 if default is None else default), parameter


OF_ALL = {  # optimizers of Keras; a sheet has columns for them, or no use
    "self", "learning_rate", "clipnorm", "clipvalue", "global_clipnorm", "use_ema", "ema_momentum",
    "ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps", "name", "kwargs",
    "weight_decay", "exclude_layers", "exclude_embeddings",
}  # fmt: skip


@pytest.mark.parametrize("name", Optimizer.TABLE)
def test_no_parameter_of_keras_is_left_out(name: str) -> None:
    known = OF_ALL | Optimizer.TABLE[name].keys()

    assert inspect.signature(OPTIMIZERS[name]).parameters.keys() <= known


def test_rates_rise_before_they_go_as_they_are_to(learning: MakeLearning) -> None:
    assert rates(learning("adam", warm_up=4), [0, 1, 2, 3, 4, 99]) == pytest.approx(
        [0.25, 0.5, 0.75, 1, 1, 1]
    )
    falling = learning("adam", "linear", warm_up=4)
    assert rates(falling, [0, 3, 50]) == pytest.approx([0.25, 0.97, 0.5])


@pytest.mark.parametrize("name", Optimizer.TABLE)
def test_every_parameter_reaches_the_optimizer(name: str, learning: MakeLearning) -> None:
    for parameter, (kind, default, _) in Optimizer.TABLE[name].items():
        other = not default if kind is bool else (7 if isinstance(default, int) else 0.25)
        other = -0.25 if isinstance(default, float) and default < 0 else other
        chosen = optimizer_of(learning(f"{name}({parameter}={other})"), [])

        assert chosen.get_config()[parameter] == other, parameter


def test_a_constant_rate_is_a_number(learning: MakeLearning) -> None:
    assert learning_rate(learning("adam")) == 0.01


@pytest.mark.parametrize(
    ("schedule", "at", "wanted"),
    [
        ("step", [0, 9, 10, 19, 20, 95], [1, 1, 0.5, 0.5, 0.25, 0.5**9]),
        ("step(steps=40, factor=0.1)", [39, 40, 80], [1, 0.1, 0.01]),
        ("linear", [0, 25, 100, 300], [1, 0.75, 0, 0]),
        ("linear(steps=50, alpha=0.5)", [0, 25, 50, 99], [1, 0.75, 0.5, 0.5]),
        ("cosine", [0, 50, 99], [1, 0.5, 0.00025]),
        ("cosine(steps=20)", [0, 10, 20, 30], [1, 0.5, 1, 0.5]),
        ("cosine(steps=20, t_mul=2, m_mul=0.5)", [20, 40, 60], [0.5, 0.25, 0.25]),
        ("cosine(alpha=0.2)", [0, 50], [1, 0.6]),
        ("cosine(rounds=4)", [0, 24, 25, 75, 99], [1, 0.00394, 1, 1, 0.00394]),
        ("cosine(rounds=2, t_mul=3)", [24, 25, 99], [0.00394, 1, 0.00044]),
        ("cosine(10, rounds=2, m_mul=0.5)", [10, 19, 20, 90], [0.5, 0.01224, 0.01224, 0.01224]),
        ("multistep", [0, 49, 50, 74, 75, 90, 99], [1, 1, 0.5, 0.5, 0.25, 0.125, 0.125]),
        ("multistep(8/90/400, factor=0.1)", [7, 8, 89, 99], [1, 0.1, 0.1, 0.01]),
        (
            "multistep(at=20%/60%, rounds=2, m_mul=0.5)",
            [9, 10, 30, 49, 50, 60, 99],
            [1, 0.5, 0.25, 0.25, 0.5, 0.25, 0.125],
        ),
        ("multistep(at=5/60, rounds=2)", [5, 49, 50, 55], [0.5, 0.5, 1, 0.5]),
    ],
)
def test_schedules(
    schedule: str, at: list[int], wanted: list[float], learning: MakeLearning
) -> None:
    assert rates(learning("adam", schedule), at) == pytest.approx(wanted, abs=1e-4)


def test_a_schedule_goes_by_steps_however_many_updates_these_have(learning: MakeLearning) -> None:
    thrice = rates(learning("sgd", "step", updates=3), [0, 29, 30, 59, 60])

    assert thrice == pytest.approx([1, 1, 0.5, 0.5, 0.25])


def test_falls_that_never_come_leave_the_rate_as_it_is(learning: MakeLearning) -> None:
    assert learning_rate(learning("adam", "multistep(at=100)")) == 0.01
    assert learning_rate(learning("adam", "plateau")) == 0.01


def gradients() -> list[np.ndarray]:
    return [np.array([3.0, -4.0], np.float32), np.array([[12.0]], np.float32)]  # 13 long


@pytest.mark.parametrize(
    ("clipping", "wanted"),
    [
        ("none", [[3, -4], [[12]]]),
        ("norm(limit=6.5)", [[1.5, -2], [[6]]]),
        ("norm(limit=20)", [[3, -4], [[12]]]),
        ("value(limit=3.5)", [[3, -3.5], [[3.5]]]),
    ],
)
def test_clipping(clipping: str, wanted: list) -> None:
    for found, each in zip(clipped(gradients(), Clipping.parse(clipping)), wanted, strict=True):
        np.testing.assert_allclose(found, each, rtol=1e-6)


def test_gradients_that_are_nought_stay_so() -> None:
    (found,) = clipped([np.zeros(3, np.float32)], Clipping.parse("norm"))

    np.testing.assert_array_equal(found, np.zeros(3))


@pytest.mark.parametrize("start", ["0", "1000000000"])
@pytest.mark.parametrize("power", ["0", "-2"])
def test_ftrl_starts_from_the_weights_whatever_its_powers(
    learning: MakeLearning, power: str, start: str
) -> None:
    """Its sums are powers of the accumulators, which must stay numbers."""
    weight = keras.Variable(np.float32([0.5, -0.25]))
    chosen = f"ftrl(learning_rate_power={power}, initial_accumulator_value={start}, beta=1)"
    for variable in optimizer_of(learning(chosen), [weight]).variables:
        assert np.isfinite(np.asarray(variable)).all(), variable.path

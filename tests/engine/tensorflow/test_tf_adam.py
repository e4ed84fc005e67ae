from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest

from multitrain.engine.model import Learning
from multitrain.engine.tensorflow.adam import FusedAdam

MakeLearning = Callable[..., Learning]


@pytest.mark.parametrize("chosen", ["adam", "adam(beta_1=0.8, beta_2=0.9, epsilon=0.01)"])
@pytest.mark.parametrize("schedule", ["constant", "linear(steps=4)"])
def test_updates_are_those_of_keras_adam(
    learning: MakeLearning, chosen: str, schedule: str
) -> None:
    ours, theirs = (keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)]) for _ in range(2))
    theirs.set_weights(ours.get_weights())
    adam = FusedAdam({"ours": ours}, learning(chosen, schedule=schedule))
    rates = [0.01, 0.0075, 0.005, 0.0025, 0.0] if schedule != "constant" else [0.01] * 5
    beta_1, beta_2, epsilon = (0.8, 0.9, 0.01) if "(" in chosen else (0.5, 0.999, 1e-8)
    keras_adam = keras.optimizers.Adam(0.01, beta_1, beta_2, epsilon)
    random = np.random.default_rng(0)

    for rate in rates:
        keras_adam.learning_rate = rate
        gradients = [
            random.normal(size=weight.shape).astype(np.float32) for weight in ours.get_weights()
        ]
        adam.apply(gradients)
        keras_adam.apply(gradients, theirs.trainable_variables)

    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_checkpoint_keeps_all_slots(learning: MakeLearning) -> None:
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="d")])
    adam = FusedAdam({"network": network}, learning("adam"))

    names = {name for name, _ in adam.variables()}

    assert len(names) == 1 + 2 * 2
    assert "updates" in names

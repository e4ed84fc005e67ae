from __future__ import annotations

import keras
import numpy as np
import pytest

from multitrain.engine.adversarial import ADAM_EPSILON, AdamSettings
from multitrain.engine.jax_adam import descend, fresh_slots


@pytest.mark.parametrize("beta1", [0.5, 0.0])
def test_updates_are_those_of_keras_adam(beta1: float) -> None:
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    keras_adam = keras.optimizers.Adam(0.01, beta_1=beta1, epsilon=ADAM_EPSILON)
    weights = tuple(variable.value for variable in network.trainable_variables)
    slots = fresh_slots(weights)
    random = np.random.default_rng(0)

    for _ in range(5):
        gradients = [random.normal(size=each.shape).astype(np.float32) for each in weights]
        weights, slots = descend(AdamSettings(0.01, beta1), weights, slots, gradients)
        keras_adam.apply(gradients, network.trainable_variables)

    assert int(slots.updates) == 5
    for ours, theirs in zip(weights, network.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)

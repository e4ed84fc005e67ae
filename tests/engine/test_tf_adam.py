from __future__ import annotations

import keras
import numpy as np

from multitrain.engine.adversarial import ADAM_EPSILON, AdamSettings
from multitrain.engine.tf_adam import Adam


def test_updates_are_those_of_keras_adam() -> None:
    ours, theirs = (keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)]) for _ in range(2))
    theirs.set_weights(ours.get_weights())
    adam = Adam(ours, AdamSettings(learning_rate=0.01, beta1=0.5))
    keras_adam = keras.optimizers.Adam(0.01, beta_1=0.5, epsilon=ADAM_EPSILON)
    random = np.random.default_rng(0)

    for _ in range(5):
        gradients = [
            random.normal(size=weight.shape).astype(np.float32) for weight in ours.get_weights()
        ]
        adam.apply(gradients)
        keras_adam.apply(gradients, theirs.trainable_variables)

    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_checkpoint_keeps_all_slots() -> None:
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="d")])
    adam = Adam(network, AdamSettings(0.01, 0.5))

    names = {name for name, _ in adam.variables()}

    assert len(names) == 1 + 2 * 2
    assert "updates" in names

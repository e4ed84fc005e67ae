"""Adam by TensorFlow's fused kernel: one pass over the weights instead of about ten."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from multitrain.engine.adversarial import ADAM_BETA2, ADAM_EPSILON, AdamSettings


class Adam:
    """Adam for the trainable weights of a Keras network, with its own slots.

    Create it under the strategy's scope and apply it in a replica: the slots then live beside the
    weights, one copy per replica.
    """

    def __init__(self, network: Any, settings: AdamSettings) -> None:
        self._weights = network.trainable_variables
        self._settings = settings
        self._updates = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._momenta = [_zeros_like(weight) for weight in self._weights]
        self._velocities = [_zeros_like(weight) for weight in self._weights]

    def apply(self, gradients: list[Any]) -> None:
        """One update; `gradients` are in the order of the network's trainable weights."""
        self._updates.assign_add(1)
        updates = tf.cast(self._updates, tf.float32)
        # Tensors, once for all weights: to build the graph is part of a job's start.
        shared = {
            "beta1_power": tf.pow(self._settings.beta1, updates),
            "beta2_power": tf.pow(ADAM_BETA2, updates),
            "lr": tf.constant(self._settings.learning_rate),
            "beta1": tf.constant(self._settings.beta1),
            "beta2": tf.constant(ADAM_BETA2),
            "epsilon": tf.constant(ADAM_EPSILON),
        }
        for weight, momentum, velocity, gradient in zip(
            self._weights, self._momenta, self._velocities, gradients, strict=True
        ):
            tf.raw_ops.ResourceApplyAdam(
                var=weight.value.handle,
                m=momentum.handle,
                v=velocity.handle,
                grad=gradient,
                use_locking=False,
                **shared,
            )

    def variables(self) -> Iterator[tuple[str, Any]]:
        """What a checkpoint keeps, by name."""
        yield "updates", self._updates
        for weight, momentum, velocity in zip(
            self._weights, self._momenta, self._velocities, strict=True
        ):
            yield f"{weight.path}/momentum", momentum
            yield f"{weight.path}/velocity", velocity


def _zeros_like(weight: Any) -> Any:
    return tf.Variable(tf.zeros(weight.shape, weight.dtype), trainable=False)

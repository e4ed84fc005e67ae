"""Adam by TensorFlow's fused kernel: one pass over the weights instead of about ten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

from jobs.settings.schedules import PLATEAU
from multitrain.engine.model import Learning
from multitrain.engine.optimizers import learning_rate, trainable_weights


class FusedAdam:
    """Adam for the trainable weights of Keras networks, with its own slots.

    Kingma and Ba 2014, in the form at the end of their section 2, as Keras has it. Create it under
    the strategy's scope and apply it in a replica: the slots then live beside the weights, one copy
    per replica.
    """

    def __init__(self, networks: Mapping[str, Any], learning: Learning) -> None:
        chosen = learning.optimizer
        named = trainable_weights(networks)
        self._names, self._weights = list(named), list(named.values())
        self._rate = learning_rate(learning)
        if learning.schedule.name == PLATEAU:
            self._rate = tf.Variable(self._rate, trainable=False)
        self._beta1 = learning.beta1 if chosen["beta_1"] is None else chosen["beta_1"]
        self._beta2, self._epsilon = chosen["beta_2"], chosen["epsilon"]
        self._updates = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._momenta = [_zeros_like(weight) for weight in self._weights]
        self._velocities = [_zeros_like(weight) for weight in self._weights]

    @property
    def updates(self) -> Any:
        return self._updates

    def apply(self, gradients: list[Any]) -> None:
        """Do an update; `gradients` are in the order of the networks' trainable weights."""
        rate = self._rate_now()
        self._updates.assign_add(1)
        updates = tf.cast(self._updates, tf.float32)
        # Tensors, once for all weights: to build the graph is part of a job's start.
        shared = {
            "beta1_power": tf.pow(self._beta1, updates),
            "beta2_power": tf.pow(self._beta2, updates),
            "lr": rate,
            "beta1": tf.constant(self._beta1),
            "beta2": tf.constant(self._beta2),
            "epsilon": tf.constant(self._epsilon),
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

    def _rate_now(self) -> Any:
        if isinstance(self._rate, tf.Variable):
            return self._rate.read_value()
        return self._rate(self._updates) if callable(self._rate) else tf.constant(self._rate)

    def set_rate(self, rate: float) -> None:
        self._rate.assign(rate)

    def begin_anew(self) -> None:
        """Nothing to do: before the first update, its slots do not depend on the weights."""

    def variables(self) -> Iterator[tuple[str, Any]]:
        """What a checkpoint keeps, by name."""
        yield "updates", self._updates
        if isinstance(self._rate, tf.Variable):
            yield "rate", self._rate
        for name, momentum, velocity in zip(
            self._names, self._momenta, self._velocities, strict=True
        ):
            yield f"{name}/momentum", momentum
            yield f"{name}/velocity", velocity


def _zeros_like(weight: Any) -> Any:
    return tf.Variable(tf.zeros(weight.shape, weight.dtype), trainable=False)

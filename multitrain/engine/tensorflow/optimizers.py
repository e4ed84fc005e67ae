"""Optimizers on TensorFlow: one that applies gradients, with what a checkpoint keeps of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import tensorflow as tf

from multitrain.engine.model import Learning
from multitrain.engine.optimizers import named_variables, optimizer_of, trainable_weights
from multitrain.engine.tensorflow.adam import FusedAdam


class GradientDescent(Protocol):
    """Created under the strategy's scope, applied in a replica."""

    @property
    def updates(self) -> Any:
        """The updates done so far: a scalar."""

    def apply(self, gradients: list[Any]) -> None:
        """Do an update; `gradients` are means over all replicas, in the order of the weights."""

    def set_rate(self, rate: float) -> None:
        """Go on with this learning rate; only where it is a plateau."""

    def begin_anew(self) -> None:
        """Start from the weights as they are now: they were replaced before the first update."""

    def variables(self) -> Iterator[tuple[str, Any]]:
        """What a checkpoint keeps, by name."""


def descent_of(networks: Mapping[str, Any], learning: Learning) -> GradientDescent:
    """The optimizer that was chosen for some networks; Adam in its fused form, where there is one.

    Its weights are those of all the networks, in their order.
    """
    chosen = learning.optimizer
    if chosen.name == "adam" and not chosen["amsgrad"]:
        return FusedAdam(networks, learning)
    return KerasDescent(networks, learning)


class KerasDescent:
    """One of Keras' own optimizers."""

    def __init__(self, networks: Mapping[str, Any], learning: Learning) -> None:
        self._learning, self._weights = learning, list(trainable_weights(networks).values())
        self._optimizer = optimizer_of(self._learning, self._weights)

    @property
    def updates(self) -> Any:
        return self._optimizer.iterations.value

    def apply(self, gradients: list[Any]) -> None:
        # Keras sums over the replicas, and these are means already.
        replicas = tf.distribute.get_replica_context().num_replicas_in_sync
        self._optimizer.apply([each / replicas for each in gradients], self._weights)

    def set_rate(self, rate: float) -> None:
        self._optimizer.learning_rate = rate

    def begin_anew(self) -> None:
        fresh = optimizer_of(self._learning, self._weights)
        for variable, begun in zip(self._optimizer.variables, fresh.variables, strict=True):
            variable.assign(begun.value)

    def variables(self) -> Iterator[tuple[str, Any]]:
        for name, variable in named_variables(self._optimizer):
            yield name, variable.value

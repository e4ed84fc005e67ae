"""A moving average of a network's weights, and what the network makes with it, on TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from multitrain.engine.averaging import decay_after


class WeightAverage:
    """A moving average of a Keras network's trainable weights; its statistics are used as they are.

    Create it under the strategy's scope; call its methods in a replica.
    """

    def __init__(self, network: Any, decay: float) -> None:
        self._network = network
        self._decay = decay
        self._averages = [
            tf.Variable(weight.value, trainable=False) for weight in network.trainable_variables
        ]

    def begin_anew(self) -> None:
        """Start again from the weights as they are now."""
        for average, weight in self._pairs():
            average.assign(weight.value)

    def follow(self, updates: Any) -> None:
        """Move the average towards the network's weights, after their update number `updates`."""
        kept = decay_after(updates, self._decay)
        for average, weight in self._pairs():
            average.assign(average * kept + weight.value * (1.0 - kept))

    def __call__(self, latents: Any) -> Any:
        """The network's outputs with the average as its weights, not training."""
        others = [variable.value for variable in self._network.non_trainable_variables]
        averages = [tf.convert_to_tensor(average) for average in self._averages]
        return self._network.stateless_call(averages, others, latents, training=False)[0]

    def variables(self) -> Iterator[tuple[str, Any]]:
        """What a checkpoint keeps, by name."""
        for average, weight in self._pairs():
            yield weight.path, average

    def _pairs(self) -> Iterator[tuple[Any, Any]]:
        return zip(self._averages, self._network.trainable_variables, strict=True)

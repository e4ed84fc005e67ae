"""A model's networks on TensorFlow, and all that changes while they learn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf

from multitrain.engine.model import Model, Named, Nets, Outcome, Phase
from multitrain.engine.optimizers import clipped
from multitrain.engine.step import Gradients, PullBack
from multitrain.engine.tensorflow.average import WeightAverage
from multitrain.engine.tensorflow.optimizers import GradientDescent, descent_of
from multitrain.networks.native.replicas import gathered, mean_over_replicas, replica, share


class Learners:
    """What learns with the networks: optimizers of turns, averages of weights, what is carried.

    Create it under the strategy's scope.
    """

    def __init__(self, model: Model) -> None:
        self.descents: dict[str, GradientDescent] = {
            name: descent_of({each: model.networks[each] for each in turn.networks}, turn.learning)
            for name, turn in model.turns.items()
        }
        self.averages = {
            name: WeightAverage(model.networks[average.network], average.decay)
            for name, average in model.averages.items()
        }
        self.carried = {
            name: tf.Variable(
                tf.zeros(each.shape, each.dtype),
                trainable=False,
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,  # alike on all of them
            )
            for name, each in model.carried.items()
        }

    def begin_anew(self) -> None:
        """Start from the weights as they are now: they were replaced before the first update."""
        for descent in self.descents.values():
            descent.begin_anew()
        for average in self.averages.values():
            average.begin_anew()

    def variables(self) -> Iterator[tuple[str, Any]]:
        """What a checkpoint keeps, by name."""
        parts = {f"optimizer_{name}": each for name, each in self.descents.items()}
        for name, part in (parts | self.averages).items():
            for path, variable in part.variables():
                yield f"{name}/{path}", variable
        for name, variable in self.carried.items():
            yield f"carried/{name}", variable


class TensorFlowTrace:
    """A `Trace`: the networks' own variables change. Use it in a replica, in a phase's steps."""

    shares = 1  # a replica has its own alone

    def __init__(self, model: Model, learners: Learners, phase: Phase) -> None:
        self._model, self._learners = model, learners
        self._nets = _Networks(model, model.learned_in(phase))

    @property
    def carried(self) -> Named:
        return {name: each.read_value() for name, each in self._learners.carried.items()}

    def record(self, networks: Sequence[str], make: Callable[[Nets], Any]) -> tuple[Any, PullBack]:
        weights = {name: self._weights(name) for name in networks}
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            made = make(self._nets)

        def pull_back(of_made: Any) -> Gradients:
            gradients: Gradients = _gradient(tape, made, weights, output_gradients=of_made)
            return gradients

        return made, pull_back

    def differentiate(
        self, networks: Sequence[str], passes: Named, loss: Callable[[Nets, Named], Outcome]
    ) -> tuple[Outcome, Gradients, Named]:
        weights = {name: self._weights(name) for name in networks}
        # One tensor may stand under several names, and a tape knows tensors, not names.
        passes = tf.nest.map_structure(tf.identity, passes)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch((weights, passes))
            outcome = loss(self._nets, passes)
        of_weights, of_passes = _gradient(tape, outcome.loss, (weights, passes))
        return outcome, of_weights, of_passes

    def constant(self, values: Any) -> Any:
        return tf.nest.map_structure(tf.stop_gradient, values)

    def learn(self, turn: str, gradients: Gradients) -> None:
        networks, learning = self._model.turns[turn].networks, self._model.turns[turn].learning
        found = mean_over_replicas([each for name in networks for each in gradients[name]])
        self._learners.descents[turn].apply(clipped(found, learning.clipping))
        for name, average in self._model.averages.items():
            if average.network in networks:
                self._learners.averages[name].follow(self._updates_of(average.network))

    def shared(self, places: Named) -> Named:
        return {name: share(tensor) for name, tensor in places.items()}

    def gathered(self, kept: Named) -> Named:
        return {name: gathered(tensor) for name, tensor in self.constant(kept).items()}

    def carry(self, carried: Named) -> None:
        for name, value in carried.items():
            self._learners.carried[name].assign(value)

    def show(self, draw: Callable[[Nets], Any]) -> Any:
        if replica() > 0:
            return tf.zeros((0, 0, 0), tf.uint8)
        by_network = {
            average.network: self._learners.averages[name]
            for name, average in self._model.averages.items()
        }
        return draw(_Shown(self._model, by_network))

    def _weights(self, network: str) -> list[Any]:
        """The trainable weights, as the tapes know them."""
        return [variable.value for variable in self._model.networks[network].trainable_variables]

    def _updates_of(self, network: str) -> Any:
        """How often any turn has updated a network."""
        counts = [
            self._learners.descents[name].updates
            for name, turn in self._model.turns.items()
            if network in turn.networks
        ]
        return counts[0] if len(counts) == 1 else tf.add_n([tf.cast(n, tf.int64) for n in counts])


class _Networks:
    """Networks in training."""

    def __init__(self, model: Model, learned: frozenset[str]) -> None:
        self._model, self._learned = model, learned

    def __call__(self, name: str, inputs: Any, training: bool = True) -> Any:
        return self._model.networks[name](inputs, training=training and name in self._learned)

    def gradient(self, of: Callable[[Any], Any], at: Any) -> Any:
        at = tf.identity(at)  # so that only what is computed of this very tensor counts
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(at)
            values = of(at)
        return _gradient(tape, values, at)


class _Shown(_Networks):
    """Networks as frames show them: with averages of weights, where they have some."""

    def __init__(self, model: Model, averages: Mapping[str, WeightAverage]) -> None:
        super().__init__(model, frozenset())
        self._averages = averages

    def __call__(self, name: str, inputs: Any, training: bool = False) -> Any:
        if average := self._averages.get(name):
            return average(inputs)
        return super().__call__(name, inputs, training)


def _gradient(tape: Any, of: Any, at: Any, **kw: Any) -> Any:
    """As the tape has it; of what is not reached, zeros; embeddings' as whole tensors."""
    zeros = tf.UnconnectedGradients.ZERO
    found = tape.gradient(of, at, unconnected_gradients=zeros, **kw)
    return tf.nest.map_structure(tf.convert_to_tensor, found)

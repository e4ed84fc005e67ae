"""A model's networks on JAX, as a pure function of all that changes while they learn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from multitrain.engine.averaging import decay_after
from multitrain.engine.model import Model, Named, Nets, Outcome, Phase
from multitrain.engine.optimizers import clipped, named_variables, optimizer_of, trainable_weights
from multitrain.engine.step import Gradients, PullBack

Weights = tuple[Any, ...]
ByName = dict[str, Weights]


class Carry(NamedTuple):
    """All that steps change.

    By network: trainable weights, and `statistics`, its other variables. By turn: the variables of
    its optimizer. By their own names: averages of weights, and what is carried from update to
    update. `losses` are sums over steps, `(turns,)`.
    """

    weights: ByName
    statistics: ByName
    optimizers: ByName
    averages: ByName
    carried: dict[str, Any]
    losses: Any


class Learners:
    """The optimizers of a model's turns, and what a training of it begins with."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.optimizers = self._optimizers()

    def begin(self) -> Carry:
        """Copies of what the networks start with; steps do not change the networks themselves."""
        model = self._model
        # Anew: the weights may have been replaced, and an optimizer may start from them.
        optimizers = self._optimizers()
        return Carry(
            {name: _copies(each.trainable_variables) for name, each in model.networks.items()},
            {name: _copies(each.non_trainable_variables) for name, each in model.networks.items()},
            {name: _copies(each.variables) for name, each in optimizers.items()},
            {
                name: _copies(model.networks[average.network].trainable_variables)
                for name, average in model.averages.items()
            },
            {name: jnp.zeros(each.shape, each.dtype) for name, each in model.carried.items()},
            jnp.zeros((len(model.turns),)),
        )

    def names(self) -> Carry:
        """The name of each array, as in checkpoints; nothing in place of the losses."""
        model = self._model
        return Carry(
            {name: _paths(name, each.trainable_variables) for name, each in model.networks.items()},
            {
                name: _paths(name, each.non_trainable_variables)
                for name, each in model.networks.items()
            },
            {
                name: tuple(f"optimizer_{name}/{place}" for place, _ in named_variables(each))
                for name, each in self.optimizers.items()
            },
            {
                name: _paths(name, model.networks[average.network].trainable_variables)
                for name, average in model.averages.items()
            },
            {name: f"carried/{name}" for name in model.carried},
            None,
        )

    def with_rates(self, optimizers: ByName, rates: Mapping[str, float]) -> ByName:
        """The optimizers' variables, with these learning rates of some turns."""
        changed = {}
        for turn, rate in rates.items():
            of_turn, optimizer = list(optimizers[turn]), self.optimizers[turn]
            place = _place_of(optimizer, optimizer.learning_rate)
            of_turn[place] = jnp.array(rate, of_turn[place].dtype)
            changed[turn] = tuple(of_turn)
        return optimizers | changed

    def _optimizers(self) -> dict[str, Any]:
        made = {}
        for name, turn in self._model.turns.items():
            networks = {each: self._model.networks[each] for each in turn.networks}
            made[name] = optimizer_of(turn.learning, list(trainable_weights(networks).values()))
        return made


class JaxTrace:
    """A `Trace` of the steps of one phase, which `devices` share.

    `carry` is what the steps have changed so far.
    """

    def __init__(
        self, model: Model, learners: Learners, phase: Phase, carry: Carry, devices: int
    ) -> None:
        self._model, self._learners = model, learners
        self._learned = model.learned_in(phase)
        self._carry, self.shares = carry, devices

    @property
    def after(self) -> Carry:
        """All that steps change, as it is now."""
        return self._carry

    @property
    def carried(self) -> Named:
        return dict(self._carry.carried)

    def record(self, networks: Sequence[str], make: Callable[[Nets], Any]) -> tuple[Any, PullBack]:
        def made_by(weights: ByName) -> tuple[Any, ByName]:
            nets = self._nets(weights)
            return make(nets), nets.statistics

        weights = {name: self._carry.weights[name] for name in networks}
        made, pull_back, statistics = jax.vjp(made_by, weights, has_aux=True)
        self._carry = self._carry._replace(statistics=statistics)
        return made, lambda of_made: pull_back(of_made)[0]

    def differentiate(
        self, networks: Sequence[str], passes: Named, loss: Callable[[Nets, Named], Outcome]
    ) -> tuple[Outcome, Gradients, Named]:
        def computed(weights: ByName, passes: Named) -> tuple[Any, tuple[Named, ByName]]:
            nets = self._nets(weights)
            outcome = loss(nets, passes)
            return outcome.loss, (outcome.kept, nets.statistics)

        weights = {name: self._carry.weights[name] for name in networks}
        (value, (kept, statistics)), (of_weights, of_passes) = jax.value_and_grad(
            computed, argnums=(0, 1), has_aux=True
        )(weights, passes)
        self._carry = self._carry._replace(statistics=statistics)
        return Outcome(value, kept), of_weights, of_passes

    def constant(self, values: Any) -> Any:
        return jax.lax.stop_gradient(values)

    def learn(self, turn: str, gradients: Gradients) -> None:
        networks, learning = self._model.turns[turn].networks, self._model.turns[turn].learning
        before = self._carry.weights
        learned, variables = self._learners.optimizers[turn].stateless_apply(
            self._carry.optimizers[turn],
            clipped([each for name in networks for each in gradients[name]], learning.clipping),
            [each for name in networks for each in before[name]],
        )
        learned_weights = iter(learned)
        after = {name: tuple(next(learned_weights) for _ in before[name]) for name in networks}
        self._carry = self._carry._replace(
            weights=before | after,
            optimizers=self._carry.optimizers | {turn: tuple(variables)},
        )
        self._carry = self._carry._replace(averages=self._followed(networks))

    def shared(self, places: Named) -> Named:
        return places  # XLA shares the work out

    def gathered(self, kept: Named) -> Named:
        return dict(self.constant(kept))  # one program sees the whole batch

    def carry(self, carried: Named) -> None:
        self._carry = self._carry._replace(carried=dict(carried))

    def show(self, draw: Callable[[Nets], Any]) -> Any:
        averages = {
            average.network: self._carry.averages[name]
            for name, average in self._model.averages.items()
        }
        return draw(
            _Networks(
                self._model, frozenset(), self._carry.weights | averages, self._carry.statistics
            )
        )

    def _nets(self, weights: ByName) -> _Networks:
        return _Networks(
            self._model, self._learned, self._carry.weights | weights, self._carry.statistics
        )

    def _followed(self, networks: Sequence[str]) -> ByName:
        """The averages after a further update of these networks."""
        averages = dict(self._carry.averages)
        for name, average in self._model.averages.items():
            if average.network in networks:
                kept = decay_after(self._updates_of(average.network), average.decay)
                averages[name] = tuple(
                    each * kept + weight * (1.0 - kept)
                    for each, weight in zip(
                        averages[name], self._carry.weights[average.network], strict=True
                    )
                )
        return averages

    def _updates_of(self, network: str) -> Any:
        """How often any turn has updated a network."""
        return sum(
            self._carry.optimizers[name][_place_of_count(self._learners.optimizers[name])]
            for name, turn in self._model.turns.items()
            if network in turn.networks
        )


class _Networks:
    """Networks with these weights; `statistics` move with the calls."""

    def __init__(
        self, model: Model, learned: frozenset[str], weights: ByName, statistics: ByName
    ) -> None:
        self._model, self._learned, self._weights = model, learned, weights
        self.statistics = statistics

    def __call__(self, name: str, inputs: Any, training: bool = True) -> Any:
        answer, moved = self._model.networks[name].stateless_call(
            self._weights[name],
            self.statistics[name],
            inputs,
            training=training and name in self._learned,
        )
        self.statistics = self.statistics | {name: tuple(moved)}
        return answer

    def gradient(self, of: Callable[[Any], Any], at: Any) -> Any:
        before = self.statistics

        def total(at: Any) -> tuple[Any, ByName]:
            self.statistics = before
            return jnp.sum(of(at)), self.statistics

        gradients, self.statistics = jax.grad(total, has_aux=True)(at)
        return gradients


def _copies(variables: Any) -> Weights:
    # Arrays of their own: a step gives its arguments' memory away, each piece once.
    return tuple(jnp.array(each.value) for each in variables)


def _paths(owner: str, variables: Any) -> Weights:
    return tuple(f"{owner}/{variable.path}" for variable in variables)


def _place_of_count(optimizer: Any) -> int:
    """The place, among an optimizer's variables, of the one that counts its updates."""
    return _place_of(optimizer, optimizer.iterations)


def _place_of(optimizer: Any, variable: Any) -> int:
    return next(i for i, each in enumerate(optimizer.variables) if each is variable)

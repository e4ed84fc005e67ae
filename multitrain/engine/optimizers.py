"""Keras' optimizers and learning-rate schedules, as a job chooses them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import keras
from keras import ops
from keras.optimizers import schedules

from jobs.settings.choices import Clipping
from jobs.settings.schedules import PLATEAU, falls, first_round, last_step
from multitrain.engine.model import Learning, Turn

FALLS = 10  # of a `step` schedule without `steps`

Measured = Mapping[str, float]  # what networks come to, by name

OPTIMIZERS: dict[str, Callable[..., Any]] = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "nadam": keras.optimizers.Nadam,
    "adamax": keras.optimizers.Adamax,
    "lamb": keras.optimizers.Lamb,
    "lion": keras.optimizers.Lion,
    "sgd": keras.optimizers.SGD,
    "rmsprop": keras.optimizers.RMSprop,
    "adagrad": keras.optimizers.Adagrad,
    "adadelta": keras.optimizers.Adadelta,
    "adafactor": keras.optimizers.Adafactor,
    "ftrl": keras.optimizers.Ftrl,
    "muon": keras.optimizers.Muon,
    "schedulefreeadamw": keras.optimizers.ScheduleFreeAdamW,
}


def optimizer_of(learning: Learning, weights: Sequence[Any]) -> Any:
    """The Keras optimizer of these variables, before its first update."""
    parameters = learning.optimizer.parameters()
    if "beta_1" in parameters and parameters["beta_1"] is None:
        parameters["beta_1"] = learning.beta1
    optimizer = OPTIMIZERS[learning.optimizer.name](
        learning_rate=learning_rate(learning), **parameters
    )
    optimizer.build(weights)
    if isinstance(optimizer, keras.optimizers.Ftrl):
        _begin_where_the_weights_are(optimizer, learning.rate, weights)
    return optimizer


def trainable_weights(networks: Mapping[str, Any]) -> dict[str, Any]:
    """The trainable weights of some networks, by their paths; of several, by network and path."""
    return {
        weight.path if len(networks) == 1 else f"{name}/{weight.path}": weight
        for name, network in networks.items()
        for weight in network.trainable_variables
    }


def _begin_where_the_weights_are(ftrl: Any, rate: float, weights: Sequence[Any]) -> None:
    """Set FTRL's sums so that its first update starts from the weights as they are.

    FTRL computes weights from its sums alone, which Keras starts at 0: the weights would be lost.
    McMahan et al. 2013, "Ad click prediction", algorithm 1, solved for the sum.
    """
    l1, l2 = ftrl.l1_regularization_strength, ftrl.l2_regularization_strength
    root = ftrl.initial_accumulator_value**-ftrl.learning_rate_power
    factor = (root + ftrl.beta) / rate + 2.0 * l2
    sums = [each for each in ftrl.variables if each.path.endswith("_linear")]
    for linear, weight in zip(sums, weights, strict=True):
        linear.assign(-factor * weight.value - l1 * ops.sign(weight.value))


def named_variables(optimizer: Any) -> list[tuple[str, Any]]:
    """All that a checkpoint keeps of an optimizer, by position: Keras' own names may repeat."""
    return [(f"{place:03d}", variable) for place, variable in enumerate(optimizer.variables)]


def learning_rate(learning: Learning) -> Any:
    """The learning rate: a number, or a Keras schedule that takes the number of updates done.

    Of a plateau, it is the number that it begins with.
    """
    schedule = _schedule(learning)
    rate = learning.rate if schedule is None else PerStep(schedule, learning)
    return WarmedUp(rate, learning.warm_up) if learning.warm_up else rate


def plateaus(turns: Mapping[str, Turn], measured: Sequence[Sequence[Measured]]) -> dict[str, float]:
    """The learning rates of the turns whose rate is a plateau, after these measurements: those by
    each set of pictures, in their order.
    """
    learnings = {name: turn.learning for name, turn in turns.items()}
    return {
        name: learning.rate * prod(learning.schedule.share_left(each) for each in measured)
        for name, learning in learnings.items()
        if learning.schedule.name == PLATEAU
    }


class PerStep(schedules.LearningRateSchedule):  # type: ignore[misc]
    """A schedule by steps, for an optimizer that counts its updates."""

    def __init__(self, by_step: Any, learning: Learning) -> None:
        self._by_step, self._updates = by_step, learning.updates
        is_wave = learning.schedule.name == "cosine"
        self._last = last_step(learning.schedule, learning.steps) if is_wave else None

    def __call__(self, step: Any) -> Any:
        number = step // self._updates
        return self._by_step(number if self._last is None else ops.minimum(number, self._last))


class WarmedUp(schedules.LearningRateSchedule):  # type: ignore[misc]
    """A rate, or a schedule by updates, that rises evenly in the first updates.

    Goyal et al. 2017, https://arxiv.org/abs/1706.02677, 2.2.
    """

    def __init__(self, rate: Any, updates: int) -> None:
        self._rate, self._updates = rate, updates

    def __call__(self, step: Any) -> Any:
        rate = self._rate(step) if callable(self._rate) else self._rate
        done = ops.cast(step, "float32") + 1.0
        return rate * ops.minimum(done / self._updates, 1.0)


def _schedule(learning: Learning) -> Any:
    chosen, rate = learning.schedule, learning.rate
    match chosen.name:
        case "step":
            steps = chosen["steps"] or max(1, learning.steps // FALLS)
            return schedules.ExponentialDecay(rate, steps, chosen["factor"], staircase=True)
        case "multistep" if found := falls(chosen, learning.steps):
            # Keras' boundaries are the last steps before.
            before, shares = [fall.steps - 1 for fall in found], [fall.share for fall in found]
            values = [rate, *(rate * share for share in shares)]
            return schedules.PiecewiseConstantDecay(before, values)
        case "cosine":
            return schedules.CosineDecayRestarts(
                rate,
                first_round(chosen, learning.steps),
                t_mul=chosen["t_mul"],
                m_mul=chosen["m_mul"],
                alpha=chosen["alpha"],
            )
        case "linear":
            steps = chosen["steps"] or learning.steps
            return schedules.PolynomialDecay(rate, steps, rate * chosen["alpha"])
    return None


def clipped(gradients: Sequence[Any], clipping: Clipping) -> list[Any]:
    """All gradients of a turn, limited together as the job says."""
    match clipping.name:
        case "norm":
            # Pascanu, Mikolov, Bengio 2013, https://arxiv.org/abs/1211.5063
            limit = clipping["limit"]
            length = ops.sqrt(sum(ops.sum(ops.square(each)) for each in gradients))
            shrink = limit / ops.maximum(length, limit)
            return [each * shrink for each in gradients]
        case "value":
            return [ops.clip(each, -clipping["limit"], clipping["limit"]) for each in gradients]
    return list(gradients)

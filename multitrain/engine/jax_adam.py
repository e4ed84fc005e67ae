"""Adam as a pure function: weights and slots in, weights and slots out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp

from multitrain.engine.adversarial import ADAM_BETA2, ADAM_EPSILON, AdamSettings

Weights = tuple[Any, ...]


class Slots(NamedTuple):
    """What Adam remembers: a scalar int32, and two arrays for each weight."""

    updates: Any
    momenta: Weights
    velocities: Weights


def fresh_slots(weights: Weights) -> Slots:
    """Before the first update."""
    # Arrays of their own: a step gives its arguments' memory away, each piece once.
    return Slots(
        jnp.zeros((), jnp.int32),
        tuple(jnp.zeros_like(weight) for weight in weights),
        tuple(jnp.zeros_like(weight) for weight in weights),
    )


def descend(
    settings: AdamSettings, weights: Weights, slots: Slots, gradients: Sequence[Any]
) -> tuple[Weights, Slots]:
    """One update; `gradients` are in the order of `weights`."""
    updates = slots.updates + 1
    count = updates.astype(jnp.float32)
    correction = jnp.sqrt(1.0 - ADAM_BETA2**count) / (1.0 - settings.beta1**count)
    rate = settings.learning_rate * correction
    momenta = _moved(slots.momenta, settings.beta1, gradients)
    velocities = _moved(slots.velocities, ADAM_BETA2, [each * each for each in gradients])
    moved = tuple(
        weight - rate * momentum / (jnp.sqrt(velocity) + ADAM_EPSILON)
        for weight, momentum, velocity in zip(weights, momenta, velocities, strict=True)
    )
    return moved, Slots(updates, momenta, velocities)


def _moved(means: Weights, beta: float, towards: Sequence[Any]) -> Weights:
    return tuple(
        mean + (each - mean) * (1.0 - beta) for mean, each in zip(means, towards, strict=True)
    )

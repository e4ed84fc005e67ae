"""A pair of adversaries, described for an engine: networks, losses, optimizers. Plain data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

ADAM_BETA2 = 0.999
ADAM_EPSILON = 1e-8  # added to the square root before bias correction, as in TensorFlow 1


@dataclass(frozen=True)
class AdamSettings:
    """Kingma and Ba 2014, in the form at the end of their section 2."""

    learning_rate: float
    beta1: float


@dataclass(frozen=True)
class Player:
    """One of the two networks, a `keras.Model`, and how it learns."""

    network: Any
    adam: AdamSettings
    updates: int  # per step


@dataclass(frozen=True)
class Adversarial:
    """A step is all the discriminator's updates, then all the generator's.

    The generator maps latents `(n, z_dim)` to pictures `(n, height, width, 3)` in [-1, 1], the
    discriminator pictures to logits `(n, 1)`. Losses are scalars, written with `keras.ops`.
    """

    generator: Player
    discriminator: Player
    generator_loss: Callable[[Any], Any]  # of the fakes' logits
    discriminator_loss: Callable[[Any, Any], Any]  # of the pictures' and the fakes' logits
    z_dim: int

    @property
    def generations(self) -> int:
        """Batches of fakes that a step trains on: both turns share one."""
        return self.discriminator.updates + self.generator.updates - 1

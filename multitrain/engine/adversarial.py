"""A pair of adversaries, described for an engine: networks, losses, optimizers. Plain data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from jobs.settings.choices import Clipping, LatentMotion, Optimizer, Schedule
from jobs.settings.spec import JobSpec
from multitrain.networks.judgement import Judgement


@dataclass(frozen=True)
class Learning:
    """How a network learns. `steps` are those of the whole training."""

    optimizer: Optimizer
    rate: float
    schedule: Schedule
    beta1: float  # for an optimizer that has one, where its parameters do not set it
    clipping: Clipping
    updates: int  # per step
    steps: int


@dataclass(frozen=True)
class Player:
    """One of the two networks, a `keras.Model`."""

    network: Any
    learning: Learning


class Sampling(NamedTuple):
    """What draws samples: a `keras.Model`, and a function from its outputs to uint8 pictures."""

    network: Any
    to_picture: Callable[[Any], Any]


class Losses(Protocol):
    """The losses of both networks, as scalars, written with `keras.ops`."""

    @property
    def generator_sees_pictures(self) -> bool:
        """Whether the generator's loss needs the discriminator's judgement of pictures."""

    @property
    def has_gradient_penalty(self) -> bool:
        """Whether the discriminator's loss has a gradient penalty."""

    def discriminator(self, real: Judgement, fake: Judgement) -> Any:
        """The discriminator's loss."""

    def generator(self, real: Judgement | None, fake: Judgement) -> Any:
        """The generator's loss; `real` is None unless it `generator_sees_pictures`."""

    def gradient_penalty(self, gradients: Any) -> Any:
        """A part of the discriminator's loss, from the `gradients` of its logits.

        `gradients` are `(n, height, width, channels)`.
        """


@dataclass(frozen=True)
class Latents:
    """The vectors that samples are made of."""

    length: int
    distribution: str  # `uniform` in [-1, 1], or `normal`
    motion: LatentMotion

    @classmethod
    def of(cls, spec: JobSpec) -> Latents:
        return cls(spec.z_dim, spec.z_distribution, spec.latent_motion)


@dataclass(frozen=True)
class Adversarial:
    """Two networks that train against each other.

    A step is all the discriminator's updates, then all the generator's. The generator maps latents
    to values `(n, height, width, channels)` in [-1, 1], the discriminator such values to a
    `Judgement`. `to_network` makes these values of pictures `(..., 3)` uint8 (or 4, with alpha),
    and `to_picture` makes pictures of these values.
    """

    generator: Player
    discriminator: Player
    losses: Losses
    latents: Latents
    to_network: Callable[[Any], Any]
    to_picture: Callable[[Any], Any]
    average_decay: float = 0.0  # of the average of weights that draws samples; 0: no average

    @property
    def generations(self) -> int:
        """Batches of fakes that a step trains on: both turns share one."""
        return self.discriminator.learning.updates + self.generator.learning.updates - 1


class Drawn(NamedTuple):
    """All that chance decides of one step, so that the step itself draws nothing.

    latents: `(generations, n, length)` float32.
    pictures: `(discriminator updates, n, height, width, 3 or 4)` uint8.
    mixing: `(discriminator updates, n)` float32 in [0, 1): where between pictures and fakes a
        gradient penalty is taken.
    grids: `(frames_per_step, samples, length)` float32: what the frames show.
    """

    latents: Any
    pictures: Any
    mixing: Any
    grids: Any

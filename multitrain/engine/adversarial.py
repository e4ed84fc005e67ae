"""A pair of adversaries, described for an engine: networks, losses, optimizers. Plain data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from jobs.choices import Clipping, LatentMotion, Optimizer, Schedule
from jobs.spec import JobSpec


@dataclass(frozen=True)
class Learning:
    """How a network learns. `steps` are those of the whole training."""

    optimizer: Optimizer
    rate: float
    schedule: Schedule
    beta1: float  # where the optimizer has one, and its choice says none
    clipping: Clipping
    updates: int  # per step
    steps: int


@dataclass(frozen=True)
class Player:
    """One of the two networks, a `keras.Model`."""

    network: Any
    learning: Learning


class Sampling(NamedTuple):
    """What draws samples: a `keras.Model`, and what makes its answers pictures in uint8."""

    network: Any
    to_picture: Callable[[Any], Any]


class Judgement(NamedTuple):
    """What the discriminator says of pictures.

    `logits` are `(n, 1)`; `features`, `(n, k)`, are what its last layer made them of.
    """

    logits: Any
    features: Any


class Losses(Protocol):
    """What both want of each other, as scalars, written with `keras.ops`."""

    @property
    def generator_sees_pictures(self) -> bool:
        """Whether the generator's loss wants to know what pictures are judged as."""

    @property
    def has_gradient_penalty(self) -> bool:
        """Whether the discriminator's loss has a part for its gradients."""

    def discriminator(self, real: Judgement, fake: Judgement) -> Any:
        """Of the discriminator."""

    def generator(self, real: Judgement | None, fake: Judgement) -> Any:
        """Of the generator; `real` is there where it `generator_sees_pictures`."""

    def gradient_penalty(self, gradients: Any) -> Any:
        """For the discriminator: `gradients` of its logits, `(n, height, width, channels)`."""


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
    """A step is all the discriminator's updates, then all the generator's.

    The generator maps latents to values `(n, height, width, channels)` in [-1, 1], the
    discriminator such values to a `Judgement`. `to_network` makes them of pictures `(..., 3)`
    uint8 (or 4, with alpha), and `to_picture` such pictures of them.
    """

    generator: Player
    discriminator: Player
    losses: Losses
    latents: Latents
    to_network: Callable[[Any], Any]
    to_picture: Callable[[Any], Any]
    average_decay: float = 0.0  # of the generator's weights that draw the samples; 0: its own

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

"""One adversarial training step as a pure function, for `jax.jit`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from multitrain.engine.adversarial import Adversarial, Player
from multitrain.engine.jax_adam import Slots, Weights, descend, fresh_slots

WHITE = 255.0


class Learner(NamedTuple):
    """A network in training: its trainable weights, its other variables, its optimizer."""

    weights: Weights
    statistics: Weights
    adam: Slots


class Carry(NamedTuple):
    """All that a step changes. `losses` are sums over the steps of discriminator and generator."""

    generator: Learner
    discriminator: Learner
    losses: Any


@dataclass(frozen=True)
class AdversarialStep:
    """The discriminator's updates, a frame, the generator's updates, a frame. Draws nothing.

    A frame shows samples in so many `rows` and `columns`. `share` says how a batch `(n, ...)` is
    spread over several devices.
    """

    model: Adversarial
    rows: int
    columns: int
    frame_after_discriminator: bool
    share: Callable[[Any], Any]

    def __call__(self, carry: Carry, grid: Any, latents: Any, pictures: Any) -> tuple[Carry, Any]:
        """Trains on what was drawn for one step.

        `grid` are the latents of the samples, `(samples, z_dim)`, row by row; `latents` are
        `(generations, n, z_dim)` float32, `pictures` `(discriminator updates, n, height, width, 3)`
        uint8. Returns frames `(frames_per_step, frame_height, frame_width, 3)` uint8.
        """
        g, d, losses = carry
        last = self.model.discriminator.updates - 1
        losses_d, losses_g, frames = [], [], []
        for update in range(last):
            fakes, g, _ = self._generate(g, latents[update])
            d, loss = self._update_discriminator(d, pictures[update], fakes)
            losses_d.append(loss)
        # The generator does not change until its turn: its first update takes up this same pass.
        fakes, g, pull_back = self._generate(g, latents[last])
        d, loss = self._update_discriminator(d, pictures[last], fakes)
        losses_d.append(loss)
        if self.frame_after_discriminator:
            frames.append(self._frame(g, grid))

        for update in range(self.model.generator.updates):
            if update:
                fakes, g, pull_back = self._generate(g, latents[last + update])
            g, d, loss = self._update_generator(g, d, fakes, pull_back)
            losses_g.append(loss)
        frames.append(self._frame(g, grid))
        means = jnp.stack([jnp.mean(jnp.stack(each)) for each in (losses_d, losses_g)])
        return Carry(g, d, losses + means), jnp.stack(frames)

    def _generate(self, g: Learner, latents: Any) -> tuple[Any, Learner, Any]:
        """Fakes, the generator with moved statistics, and what takes gradients to its weights."""
        chosen = self.share(latents)

        def generate(weights: Weights) -> tuple[Any, Weights]:
            return _call(self.model.generator, weights, g.statistics, chosen)

        fakes, pull_back, statistics = jax.vjp(generate, g.weights, has_aux=True)
        return fakes, g._replace(statistics=statistics), pull_back

    def _update_discriminator(self, d: Learner, reals: Any, fakes: Any) -> tuple[Learner, Any]:
        player = self.model.discriminator
        pictures = self.share(reals).astype(jnp.float32) * (2.0 / WHITE) - 1.0

        def judge(weights: Weights) -> tuple[Any, Weights]:
            real, statistics = _call(player, weights, d.statistics, pictures)
            fake, statistics = _call(player, weights, statistics, fakes)
            return self.model.discriminator_loss(real, fake), statistics

        (loss, statistics), gradients = jax.value_and_grad(judge, has_aux=True)(d.weights)
        weights, adam = descend(player.adam, d.weights, d.adam, gradients)
        return Learner(weights, statistics, adam), loss

    def _update_generator(
        self, g: Learner, d: Learner, fakes: Any, pull_back: Any
    ) -> tuple[Learner, Learner, Any]:
        """`pull_back` is of the pass that made `fakes`."""

        def judge(pictures: Any) -> tuple[Any, Weights]:
            fake, statistics = _call(self.model.discriminator, d.weights, d.statistics, pictures)
            return self.model.generator_loss(fake), statistics

        (loss, statistics), wishes = jax.value_and_grad(judge, has_aux=True)(fakes)
        (gradients,) = pull_back(wishes)
        weights, adam = descend(self.model.generator.adam, g.weights, g.adam, gradients)
        learned = g._replace(weights=weights, adam=adam)
        return learned, d._replace(statistics=statistics), loss

    def _frame(self, g: Learner, grid: Any) -> Any:
        """The grid as `(frame_height, frame_width, 3)` uint8, drawn with the moving statistics."""
        samples, _ = _call(self.model.generator, g.weights, g.statistics, grid, training=False)
        height, width = samples.shape[1:3]
        cells = samples.reshape(self.rows, self.columns, height, width, 3)
        frame = cells.transpose(0, 2, 1, 3, 4).reshape(self.rows * height, -1, 3)
        light = jnp.round((frame + 1.0) * (WHITE / 2.0))
        return jnp.clip(light, 0.0, WHITE).astype(jnp.uint8)


def learner_of(player: Player) -> Learner:
    """Copies of what the network starts with."""
    weights = tuple(jnp.array(each.value) for each in player.network.trainable_variables)
    others = tuple(jnp.array(each.value) for each in player.network.non_trainable_variables)
    return Learner(weights, others, fresh_slots(weights))


def _call(
    player: Player, weights: Weights, statistics: Weights, inputs: Any, training: bool = True
) -> tuple[Any, Weights]:
    """What the network answers, and its other variables after that."""
    answer, moved = player.network.stateless_call(weights, statistics, inputs, training=training)
    return answer, tuple(moved)

"""One adversarial training step as a pure function, for `jax.jit`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from multitrain.engine.adversarial import Adversarial, Drawn, Player
from multitrain.engine.averaging import decay_after
from multitrain.engine.optimizers import clipped, optimizer_of
from multitrain.networks.judgement import Judgement

Weights = tuple[Any, ...]


class Learner(NamedTuple):
    """A network in training: its trainable weights, other variables, optimizer's variables."""

    weights: Weights
    statistics: Weights
    optimizer: Weights


class Carry(NamedTuple):
    """All that a step changes.

    `average` is the average of the generator's weights that draws the samples; empty where there is
    none. `losses` are sums over the steps, of discriminator and generator.
    """

    generator: Learner
    discriminator: Learner
    average: Weights
    losses: Any


class AdversarialStep:
    """The discriminator's updates, a frame, the generator's updates, a frame.

    A frame shows samples in so many `rows` and `columns`. `share` says how a batch `(n, ...)` is
    spread over several devices.
    """

    def __init__(
        self,
        model: Adversarial,
        rows: int,
        columns: int,
        frame_after_discriminator: bool,
        share: Callable[[Any], Any],
    ) -> None:
        self._model = model
        self._rows, self._columns = rows, columns
        self._frame_after_discriminator = frame_after_discriminator
        self._share = share
        self.optimizer_g = _optimizer_of(model.generator)
        self.optimizer_d = _optimizer_of(model.discriminator)

    def begin(self) -> Carry:
        """Copies of what the networks start with; steps do not change the networks themselves."""
        g, d = _learner_of(self._model.generator), _learner_of(self._model.discriminator)
        average = _copies(self._model.generator.network.trainable_variables)
        return Carry(g, d, average if self._model.average_decay else (), jnp.zeros((2,)))

    def __call__(self, carry: Carry, drawn: Drawn) -> tuple[Carry, Any]:
        """Trains on what was drawn for one step.

        Returns frames `(frames_per_step, frame_height, frame_width, channels)` uint8.
        """
        g, d, average, losses = carry
        last = self._model.discriminator.learning.updates - 1
        losses_d, losses_g, frames = [], [], []
        for update in range(last):
            fakes, g, _ = self._generate(g, drawn.latents[update])
            d, loss = self._update_discriminator(d, drawn, update, fakes)
            losses_d.append(loss)
        # The generator does not change until its turn: its first update uses this same pass.
        fakes, g, pull_back = self._generate(g, drawn.latents[last])
        d, loss = self._update_discriminator(d, drawn, last, fakes)
        losses_d.append(loss)
        if self._frame_after_discriminator:
            frames.append(self.frame(g, average, drawn.grids[0]))

        for update in range(self._model.generator.learning.updates):
            if update:
                fakes, g, pull_back = self._generate(g, drawn.latents[last + update])
            g, d, loss = self._update_generator(g, d, fakes, pull_back, drawn.pictures[last])
            average = self._follow(average, g)
            losses_g.append(loss)
        frames.append(self.frame(g, average, drawn.grids[-1]))
        means = jnp.stack([jnp.mean(jnp.stack(each)) for each in (losses_d, losses_g)])
        return Carry(g, d, average, losses + means), jnp.stack(frames)

    def _generate(self, g: Learner, latents: Any) -> tuple[Any, Learner, Any]:
        """Fakes, the generator with moved statistics, and what takes gradients to its weights."""
        chosen = self._share(latents)

        def generate(weights: Weights) -> tuple[Any, Weights]:
            return _call(self._model.generator, weights, g.statistics, chosen)

        fakes, pull_back, statistics = jax.vjp(generate, g.weights, has_aux=True)
        return fakes, g._replace(statistics=statistics), pull_back

    def _update_discriminator(
        self, d: Learner, drawn: Drawn, update: int, fakes: Any
    ) -> tuple[Learner, Any]:
        player, losses = self._model.discriminator, self._model.losses
        reals = self._model.to_network(self._share(drawn.pictures[update]))
        share = self._share(drawn.mixing[update])[:, None, None, None]

        def judge(weights: Weights) -> tuple[Any, Weights]:
            real, statistics = self._judge(weights, d.statistics, reals)
            fake, statistics = self._judge(weights, statistics, fakes)
            loss = losses.discriminator(real, fake)
            if losses.has_gradient_penalty:
                mixed = reals + share * (fakes - reals)
                of_mixed, statistics = self._gradients_at(weights, statistics, mixed)
                loss += losses.gradient_penalty(of_mixed)
            return loss, statistics

        (loss, statistics), gradients = jax.value_and_grad(judge, has_aux=True)(d.weights)
        weights, optimizer = _descend(player, self.optimizer_d, d, gradients)
        return Learner(weights, statistics, optimizer), loss

    def _gradients_at(
        self, weights: Weights, statistics: Weights, pictures: Any
    ) -> tuple[Any, Weights]:
        def sum_of_logits(pictures: Any) -> tuple[Any, Weights]:
            judgement, moved = self._judge(weights, statistics, pictures)
            return jnp.sum(judgement.logits), moved

        gradients, moved = jax.grad(sum_of_logits, has_aux=True)(pictures)
        return gradients, moved

    def _update_generator(
        self, g: Learner, d: Learner, fakes: Any, pull_back: Any, pictures: Any
    ) -> tuple[Learner, Learner, Any]:
        """`pull_back` takes gradients of `fakes` to the generator's weights."""
        losses = self._model.losses
        real, seen = None, d.statistics
        if losses.generator_sees_pictures:
            reals = self._model.to_network(self._share(pictures))
            real, seen = self._judge(d.weights, seen, reals)

        def judge(fakes: Any) -> tuple[Any, Weights]:
            fake, statistics = self._judge(d.weights, seen, fakes)
            return losses.generator(real, fake), statistics

        (loss, statistics), of_fakes = jax.value_and_grad(judge, has_aux=True)(fakes)
        (gradients,) = pull_back(of_fakes)
        weights, optimizer = _descend(self._model.generator, self.optimizer_g, g, gradients)
        learned = g._replace(weights=weights, optimizer=optimizer)
        return learned, d._replace(statistics=statistics), loss

    def _judge(
        self, weights: Weights, statistics: Weights, pictures: Any
    ) -> tuple[Judgement, Weights]:
        answer, moved = _call(self._model.discriminator, weights, statistics, pictures)
        return Judgement(*answer), moved

    def _follow(self, average: Weights, g: Learner) -> Weights:
        """The average after a further update of the generator."""
        if not average:
            return average
        kept = decay_after(g.optimizer[self._iterations_g], self._model.average_decay)
        return tuple(
            each * kept + weight * (1.0 - kept)
            for each, weight in zip(average, g.weights, strict=True)
        )

    @property
    def _iterations_g(self) -> int:
        """The index of the optimizer's variable that counts the generator's updates."""
        variables = self.optimizer_g.variables
        return next(i for i, each in enumerate(variables) if each is self.optimizer_g.iterations)

    def frame(self, g: Learner, average: Weights, latents: Any) -> Any:
        """The grid as `(frame_height, frame_width, channels)` uint8, with the moving statistics."""
        samples, _ = _call(
            self._model.generator, average or g.weights, g.statistics, latents, training=False
        )
        pictures = self._model.to_picture(samples)
        height, width, channels = pictures.shape[1:]
        cells = pictures.reshape(self._rows, self._columns, height, width, channels)
        return cells.transpose(0, 2, 1, 3, 4).reshape(self._rows * height, -1, channels)


def _optimizer_of(player: Player) -> Any:
    return optimizer_of(player.learning, player.network.trainable_variables)


def _learner_of(player: Player) -> Learner:
    network = player.network
    return Learner(
        _copies(network.trainable_variables),
        _copies(network.non_trainable_variables),
        _copies(_optimizer_of(player).variables),
    )


def _copies(variables: Any) -> Weights:
    # Arrays of their own: a step gives its arguments' memory away, each piece once.
    return tuple(jnp.array(each.value) for each in variables)


def _descend(
    player: Player, optimizer: Any, learner: Learner, gradients: Weights
) -> tuple[Weights, Weights]:
    """The weights and the optimizer's variables after one update."""
    weights, variables = optimizer.stateless_apply(
        learner.optimizer,
        clipped(gradients, player.learning.clipping),
        learner.weights,
    )
    return tuple(weights), tuple(variables)


def _call(
    player: Player, weights: Weights, statistics: Weights, inputs: Any, training: bool = True
) -> tuple[Any, Weights]:
    """The network's outputs, and its other variables after that."""
    answer, moved = player.network.stateless_call(weights, statistics, inputs, training=training)
    return answer, tuple(moved)

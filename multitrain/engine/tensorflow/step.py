"""One adversarial training step as TensorFlow operations, run by every replica."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from multitrain.engine.adversarial import Adversarial, Drawn, Player
from multitrain.engine.optimizers import clipped
from multitrain.engine.tensorflow.average import WeightAverage
from multitrain.engine.tensorflow.optimizers import GradientDescent, descent_of
from multitrain.networks.judgement import Judgement
from multitrain.networks.native.replicas import mean_over_replicas, replica


@dataclass(frozen=True)
class Grid:
    """How a frame shows samples: row by row."""

    rows: int
    columns: int


class AdversarialStep:
    """The discriminator's updates, a frame, the generator's updates, a frame.

    All random draws are made before the step, so that XLA may compile it and it trains on the same
    draws. Only the noise within networks depends on whether XLA compiles it.
    """

    def __init__(self, model: Adversarial, grid: Grid, *, frame_after_discriminator: bool) -> None:
        self._model = model
        self._grid = grid
        self._frame_after_discriminator = frame_after_discriminator
        self.descent_g = descent_of(model.generator)
        self.descent_d = descent_of(model.discriminator)
        self.average = (
            WeightAverage(model.generator.network, model.average_decay)
            if model.average_decay
            else None
        )

    def begin_anew(self) -> None:
        """Start from the weights as they are now: they were replaced before the first update."""
        for follower in (self.descent_g, self.descent_d, self.average):
            if follower:
                follower.begin_anew()

    def __call__(self, drawn: Drawn) -> tuple[Any, Any]:
        """Trains on a replica's share of what was drawn for one step.

        Returns frames `(frames_per_step, frame_height, frame_width, channels)` uint8 (of the first
        replica; nothing on the others) and the mean losses of discriminator and generator, `(2,)`.
        """
        last = self._model.discriminator.learning.updates - 1
        losses_d = []
        for update in range(last):
            fakes = self._generate(drawn.latents[update])
            losses_d.append(self._update_discriminator(drawn, update, fakes))
        # The generator does not change until its turn: its first update uses this same pass.
        with tf.GradientTape() as tape:
            fakes = self._generate(drawn.latents[last])
        losses_d.append(self._update_discriminator(drawn, last, fakes))
        frames = [self.frame(drawn.grids[0])] if self._frame_after_discriminator else []

        pictures = drawn.pictures[last]
        losses_g = [self._update_generator(tape, fakes, pictures)]
        for update in range(1, self._model.generator.learning.updates):
            with tf.GradientTape() as tape:
                fakes = self._generate(drawn.latents[last + update])
            losses_g.append(self._update_generator(tape, fakes, pictures))
        frames.append(self.frame(drawn.grids[-1]))
        losses = tf.stack([tf.reduce_mean(losses_d), tf.reduce_mean(losses_g)])
        return tf.stack(frames), mean_over_replicas(losses)

    def _update_discriminator(self, drawn: Drawn, update: int, fakes: Any) -> Any:
        losses = self._model.losses
        reals = self._model.to_network(drawn.pictures[update])
        fakes = tf.stop_gradient(fakes)
        with tf.GradientTape() as tape:
            loss = losses.discriminator(self._judge(reals), self._judge(fakes))
            if losses.has_gradient_penalty:
                share = drawn.mixing[update][:, None, None, None]
                mixed = reals + share * (fakes - reals)
                loss += losses.gradient_penalty(self._gradients_at(mixed))
        gradients = tape.gradient(loss, _weights(self._model.discriminator))
        _learn(self._model.discriminator, self.descent_d, gradients)
        return loss

    def _gradients_at(self, pictures: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(pictures)
            logits = self._judge(pictures).logits
        return tape.gradient(logits, pictures)

    def _update_generator(self, generation: Any, fakes: Any, pictures: Any) -> Any:
        """`generation` is the tape that saw the generator make `fakes`."""
        losses = self._model.losses
        real = None
        if losses.generator_sees_pictures:
            real = self._judge(self._model.to_network(pictures))
        with tf.GradientTape(watch_accessed_variables=False) as judgement:
            judgement.watch(fakes)
            loss = losses.generator(real, self._judge(fakes))
        of_fakes = judgement.gradient(loss, fakes)
        gradients = generation.gradient(fakes, _weights(self._model.generator), of_fakes)
        _learn(self._model.generator, self.descent_g, gradients)
        if self.average:
            self.average.follow(self.descent_g.updates)
        return loss

    def _judge(self, pictures: Any) -> Judgement:
        return Judgement(*self._model.discriminator.network(pictures, training=True))

    def _generate(self, latents: Any) -> Any:
        return self._model.generator.network(latents, training=True)

    def frame(self, latents: Any) -> Any:
        """The grid as `(frame_height, frame_width, channels)` uint8, with the moving statistics."""
        rows, columns = self._grid.rows, self._grid.columns
        if replica() > 0:
            return tf.zeros((0, 0, 0), tf.uint8)
        if self.average:
            samples = self.average(latents)
        else:
            samples = self._model.generator.network(latents, training=False)
        pictures = self._model.to_picture(samples)
        height, width, channels = pictures.shape[1:]
        cells = tf.reshape(pictures, (rows, columns, height, width, channels))
        return tf.reshape(tf.transpose(cells, (0, 2, 1, 3, 4)), (rows * height, -1, channels))


def _learn(player: Player, descent: GradientDescent, gradients: list[Any]) -> None:
    descent.apply(clipped(mean_over_replicas(gradients), player.learning.clipping))


def _weights(player: Player) -> list[Any]:
    """The trainable weights, as the tapes know them."""
    return [variable.value for variable in player.network.trainable_variables]

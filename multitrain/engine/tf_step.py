"""One adversarial training step as TensorFlow operations, run by every replica."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from multitrain.engine.adversarial import Adversarial, Player
from multitrain.engine.tf_adam import Adam
from multitrain.engine.tf_replicas import mean_over_replicas, replica

WHITE = 255.0


@dataclass(frozen=True)
class Grid:
    """What a frame shows: samples row by row, always of the same latents `(samples, z_dim)`."""

    rows: int
    columns: int
    latents: Any


class AdversarialStep:
    """The discriminator's updates, a frame, the generator's updates, a frame.

    It draws nothing, so that XLA may compile it and train on the same draws.
    """

    def __init__(self, model: Adversarial, grid: Grid, *, frame_after_discriminator: bool) -> None:
        self._model = model
        self._grid = grid
        self._frame_after_discriminator = frame_after_discriminator
        self.adam_g = Adam(model.generator.network, model.generator.adam)
        self.adam_d = Adam(model.discriminator.network, model.discriminator.adam)

    def __call__(self, latents: Any, pictures: Any) -> tuple[Any, Any]:
        """Trains on a replica's share of what was drawn for one step.

        `latents` are `(generations, n, z_dim)` float32, `pictures` `(discriminator updates, n,
        height, width, 3)` uint8.
        Returns frames `(frames_per_step, frame_height, frame_width, 3)` uint8 (of the first
        replica; nothing on the others) and the mean losses of discriminator and generator, `(2,)`.
        """
        last = self._model.discriminator.updates - 1
        losses_d = []
        for update in range(last):
            fakes = self._generate(latents[update])
            losses_d.append(self._update_discriminator(pictures[update], fakes))
        # The generator does not change until its turn: its first update takes up this same pass.
        with tf.GradientTape() as tape:
            fakes = self._generate(latents[last])
        losses_d.append(self._update_discriminator(pictures[last], fakes))
        frames = [self._frame()] if self._frame_after_discriminator else []

        losses_g = [self._update_generator(tape, fakes)]
        for update in range(1, self._model.generator.updates):
            with tf.GradientTape() as tape:
                fakes = self._generate(latents[last + update])
            losses_g.append(self._update_generator(tape, fakes))
        frames.append(self._frame())
        losses = tf.stack([tf.reduce_mean(losses_d), tf.reduce_mean(losses_g)])
        return tf.stack(frames), mean_over_replicas(losses)

    def _update_discriminator(self, pictures: Any, fakes: Any) -> Any:
        reals = tf.cast(pictures, tf.float32) * (2.0 / WHITE) - 1.0
        discriminate = self._model.discriminator.network
        with tf.GradientTape() as tape:
            loss = self._model.discriminator_loss(
                discriminate(reals, training=True),
                discriminate(tf.stop_gradient(fakes), training=True),
            )
        gradients = tape.gradient(loss, _weights(self._model.discriminator))
        self.adam_d.apply(mean_over_replicas(gradients))
        return loss

    def _update_generator(self, generation: Any, fakes: Any) -> Any:
        """`generation` is the tape that saw the generator make `fakes`."""
        with tf.GradientTape(watch_accessed_variables=False) as judgement:
            judgement.watch(fakes)
            logits = self._model.discriminator.network(fakes, training=True)
            loss = self._model.generator_loss(logits)
        wishes = judgement.gradient(loss, fakes)
        gradients = generation.gradient(fakes, _weights(self._model.generator), wishes)
        self.adam_g.apply(mean_over_replicas(gradients))
        return loss

    def _generate(self, latents: Any) -> Any:
        return self._model.generator.network(latents, training=True)

    def _frame(self) -> Any:
        """The grid as `(frame_height, frame_width, 3)` uint8, drawn with the moving statistics."""
        rows, columns = self._grid.rows, self._grid.columns
        if replica() > 0:
            return tf.zeros((0, 0, 3), tf.uint8)
        samples = self._model.generator.network(self._grid.latents, training=False)
        height, width = samples.shape[1:3]
        cells = tf.reshape(samples, (rows, columns, height, width, 3))
        frame = tf.reshape(tf.transpose(cells, (0, 2, 1, 3, 4)), (rows * height, -1, 3))
        light = tf.round((frame + 1.0) * (WHITE / 2.0))
        return tf.cast(tf.clip_by_value(light, 0.0, WHITE), tf.uint8)


def _weights(player: Player) -> list[Any]:
    """The trainable weights, as the tapes know them."""
    return [variable.value for variable in player.network.trainable_variables]

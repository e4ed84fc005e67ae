"""One adversarial training step as TensorFlow operations, run by every replica."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from multitrain.engine.adversarial import Adversarial, Player
from multitrain.engine.tf_adam import Adam
from multitrain.engine.tf_random import Draws

WHITE = 255.0


@dataclass(frozen=True)
class Grid:
    """What a frame shows: samples row by row, always of the same latents `(samples, z_dim)`."""

    rows: int
    columns: int
    latents: Any


class AdversarialStep:
    """The discriminator's updates, a frame, the generator's updates, a frame.

    `pictures` are `(n, height, width, 3)` uint8, one copy per replica. A batch of `batch` pictures
    is split evenly over the replicas, so that any number of them trains on the same draws.
    """

    def __init__(
        self,
        model: Adversarial,
        draws: Draws,
        grid: Grid,
        pictures: list[Any],
        batch: int,
        frame_after_discriminator: bool,
    ) -> None:
        self._model = model
        self._draws = draws
        self._grid = grid
        self._pictures = pictures
        self._batch = batch
        self._frame_after_discriminator = frame_after_discriminator
        self.adam_g = Adam(model.generator.network, model.generator.adam)
        self.adam_d = Adam(model.discriminator.network, model.discriminator.adam)

    def __call__(self, step: Any) -> tuple[Any, Any]:
        """Trains step number `step`, a scalar int64.

        Returns frames `(frames_per_step, frame_height, frame_width, 3)` uint8 (of the first
        replica; nothing on the others) and the mean losses of discriminator and generator, `(2,)`.
        """
        last = self._model.discriminator.updates - 1
        losses_d = []
        for update in range(last):
            fakes = self._generate(step, update)
            losses_d.append(self._update_discriminator(step, update, fakes))
        # The generator does not change until its turn: its first update takes up this same pass.
        with tf.GradientTape() as tape:
            fakes = self._generate(step, last)
        losses_d.append(self._update_discriminator(step, last, fakes))
        frames = [self._frame()] if self._frame_after_discriminator else []

        losses_g = [self._update_generator(tape, fakes)]
        for update in range(1, self._model.generator.updates):
            with tf.GradientTape() as tape:
                fakes = self._generate(step, last + update)
            losses_g.append(self._update_generator(tape, fakes))
        frames.append(self._frame())
        losses = tf.stack([tf.reduce_mean(losses_d), tf.reduce_mean(losses_g)])
        return tf.stack(frames), _mean_over_replicas(losses)

    def _update_discriminator(self, step: Any, update: int, fakes: Any) -> Any:
        reals = self._real_pictures(step, update)
        discriminate = self._model.discriminator.network
        with tf.GradientTape() as tape:
            loss = self._model.discriminator_loss(
                discriminate(reals, training=True),
                discriminate(tf.stop_gradient(fakes), training=True),
            )
        gradients = tape.gradient(loss, _weights(self._model.discriminator))
        self.adam_d.apply(_mean_over_replicas(gradients))
        return loss

    def _update_generator(self, generation: Any, fakes: Any) -> Any:
        """`generation` is the tape that saw the generator make `fakes`."""
        with tf.GradientTape(watch_accessed_variables=False) as judgement:
            judgement.watch(fakes)
            logits = self._model.discriminator.network(fakes, training=True)
            loss = self._model.generator_loss(logits)
        wishes = judgement.gradient(loss, fakes)
        gradients = generation.gradient(fakes, _weights(self._model.generator), wishes)
        self.adam_g.apply(_mean_over_replicas(gradients))
        return loss

    def _generate(self, step: Any, update: int) -> Any:
        latents = self._draws.latents(step, update, self._batch, self._model.z_dim)
        return self._model.generator.network(_share(latents), training=True)

    def _real_pictures(self, step: Any, update: int) -> Any:
        pictures = self._pictures[_replica()]
        number = step * self._model.discriminator.updates + update
        indices = self._draws.picture_indices(number, self._batch, pictures.shape[0])
        chosen = tf.gather(pictures, _share(indices))
        return tf.cast(chosen, tf.float32) * (2.0 / WHITE) - 1.0

    def _frame(self) -> Any:
        """The grid as `(frame_height, frame_width, 3)` uint8, drawn with the moving statistics."""
        rows, columns = self._grid.rows, self._grid.columns
        if _replica() > 0:
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


def _replica() -> int:
    """Known while the graph is built: each replica's operations are traced separately."""
    return int(tf.get_static_value(tf.distribute.get_replica_context().replica_id_in_sync_group))


def _share(batch: Any) -> Any:
    """This replica's part of a batch that was drawn for all."""
    replicas = tf.distribute.get_replica_context().num_replicas_in_sync
    size = batch.shape[0] // replicas
    return batch[_replica() * size : (_replica() + 1) * size]


def _mean_over_replicas(tensors: Any) -> Any:
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return tensors
    return context.all_reduce(tf.distribute.ReduceOp.MEAN, tensors)

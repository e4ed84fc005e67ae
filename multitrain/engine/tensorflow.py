"""Trains adversaries on TensorFlow: many steps per call, nothing leaves the device in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from jobs.errors import MultitrainError
from jobs.spec import JobSpec
from multitrain.engine.adversarial import Adversarial
from multitrain.engine.session import Block, Frames, SessionSettings, State
from multitrain.engine.tf_devices import compiles_with_xla, computing_in, strategy_for
from multitrain.engine.tf_random import Draws
from multitrain.engine.tf_step import AdversarialStep, Grid
from multitrain.memory import memory_watched


class TensorFlowSession:
    """A `Session` of two adversaries on one device, or mirrored over several."""

    def __init__(
        self,
        describe: Callable[[], Adversarial],
        spec: JobSpec,
        pictures: Frames,
        settings: SessionSettings,
    ) -> None:
        """`pictures` are `(n, height, width, 3)` uint8. Raises OutOfMemory and MultitrainError."""
        if spec.images_per_batch % spec.gpus:
            raise MultitrainError(
                f"batch_size: {spec.images_per_batch} pictures cannot be shared out evenly over "
                f"{spec.gpus} GPUs; choose a multiple of {spec.gpus}"
            )
        self._strategy = strategy_for(spec.gpus, settings)
        self._frames_per_step = spec.frames_per_step
        with memory_watched(), self._strategy.scope():
            with computing_in(spec.precision):
                self._model = describe()
            self._steps_done = tf.Variable(0, dtype=tf.int64, trainable=False)
            self._detours = tf.Variable(0, dtype=tf.int64, trainable=False)
            draws = Draws(spec.seed, self._detours)
            self._latents = tf.Variable(draws.grid(spec.samples, spec.z_dim), trainable=False)
            self._step = AdversarialStep(
                self._model,
                draws,
                Grid(spec.grid_height, spec.grid_width, self._latents),
                _copy_per_replica(pictures, self._strategy),
                spec.images_per_batch,
                frame_after_discriminator=spec.snapshot == "update",
            )
            self._variables = dict(self._named_variables())
        self._block = tf.function(
            self._run_block,
            input_signature=[tf.TensorSpec([], tf.int64)],
            jit_compile=compiles_with_xla(),
            autograph=False,  # it depends on the version of Python; nothing here needs it
        )

    @property
    def step(self) -> int:
        return int(self._steps_done.numpy())

    @property
    def detours(self) -> int:
        return int(self._detours.numpy())

    @detours.setter
    def detours(self, count: int) -> None:
        self._detours.assign(count)

    def run(self, steps: int) -> Block:
        with memory_watched():
            frames, losses = self._block(tf.constant(steps, tf.int64))
            d, g = (losses.numpy() / steps).tolist()
            return Block(frames.numpy(), {"d": d, "g": g})

    def state(self) -> State:
        return {name: variable.numpy() for name, variable in self._variables.items()}

    def restore(self, state: State) -> None:
        for name, variable in self._variables.items():
            variable.assign(state[name])

    def _run_block(self, steps: Any) -> tuple[Any, Any]:
        """Frames `(steps * frames_per_step, height, width, 3)` uint8 and the sums of the losses."""
        first = self._steps_done.read_value()
        count = tf.cast(steps, tf.int32)

        def train(offset: Any, frames: Any, losses: Any) -> tuple[Any, Any, Any]:
            made = self._strategy.run(self._step, (first + tf.cast(offset, tf.int64),))
            new_frames, new_losses = map(self._of_first_replica, made)
            return offset + 1, frames.write(offset, new_frames), losses + new_losses

        _, frames, losses = tf.while_loop(
            lambda offset, *_: offset < count,
            train,
            (tf.constant(0), tf.TensorArray(tf.uint8, count, infer_shape=True), tf.zeros((2,))),
            parallel_iterations=1,
        )
        self._steps_done.assign(first + steps)
        return frames.concat(), losses

    def _of_first_replica(self, value: Any) -> Any:
        return self._strategy.experimental_local_results(value)[0]

    def _named_variables(self) -> Iterator[tuple[str, Any]]:
        """All that a resume needs. Random draws are functions of these and of the seed."""
        yield "step", self._steps_done
        yield "detours", self._detours
        yield "latents", self._latents
        for network in (self._model.generator.network, self._model.discriminator.network):
            for variable in network.variables:
                yield f"{network.name}/{variable.path}", variable.value
        for name, adam in (("adam_g", self._step.adam_g), ("adam_d", self._step.adam_d)):
            for path, variable in adam.variables():
                yield f"{name}/{path}", variable


def _copy_per_replica(pictures: Frames, strategy: Any) -> list[Any]:
    """The data set on each replica's device: eager tensors, which a `tf.function` captures."""
    copies = []
    for device in strategy.extended.worker_devices:
        with tf.device(device):
            copies.append(tf.constant(np.ascontiguousarray(pictures)))
    return copies

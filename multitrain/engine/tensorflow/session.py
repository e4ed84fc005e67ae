"""Trains adversaries on TensorFlow: many steps per call, nothing leaves the device in between."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from jobs.errors import MultitrainError
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from multitrain.diagnosis.broken_devices import is_broken_device
from multitrain.diagnosis.memory import is_lack_of_memory, memory_watched
from multitrain.engine import motion
from multitrain.engine.adopting import NETWORKS, adoptable, left_out
from multitrain.engine.adversarial import Adversarial, Drawn
from multitrain.engine.device_memory import fits
from multitrain.engine.mixture import Mixture
from multitrain.engine.precision import computing_in
from multitrain.engine.session import Block, Frames, SessionSettings, State
from multitrain.engine.tensorflow.devices import (
    compiles_with_xla,
    device_bytes,
    has_native_bfloat16,
    strategy_for,
)
from multitrain.engine.tensorflow.pictures import (
    Drawing,
    Pictures,
    PicturesInPlace,
    PicturesReadAhead,
)
from multitrain.engine.tensorflow.random import Draws
from multitrain.engine.tensorflow.step import AdversarialStep, Grid
from multitrain.engine.windows import Window
from multitrain.networks.native.replicas import share

log = logging.getLogger(__name__)


class TensorFlowSession:
    """A `Session` of two adversaries on one device, or mirrored over several."""

    def __init__(
        self,
        describe: Callable[[], Adversarial],
        spec: JobSpec,
        pictures: Frames,
        settings: SessionSettings,
        mixture: Mixture,
    ) -> None:
        """`pictures` are `(n, height, width, channels)` uint8.

        A batch can be shared out to all devices.

        Raises OutOfMemory and MultitrainError.
        """
        self._strategy = strategy_for(spec.gpus, settings)
        with memory_watched(), self._strategy.scope():
            with computing_in(spec.precision, has_native_bfloat16):
                self._model = describe()
            self._steps_done = tf.Variable(0, dtype=tf.int64, trainable=False)
            self._detours = tf.Variable(0, dtype=tf.int64, trainable=False)
            self._batch = spec.images_per_batch
            self._draws = draws = Draws(spec.seed, self._detours)
            self._frames_per_step, self._fps = spec.frames_per_step, spec.fps
            grid = draws.grid(spec.samples, self._model.latents)
            self._grid = tf.Variable(grid, trainable=False)
            self._step = AdversarialStep(
                self._model,
                Grid(spec.grid_height, spec.grid_width),
                frame_after_discriminator=spec.snapshot == "update",
            )
            self._variables = dict(self._named_variables())
            updates = self._model.discriminator.learning.updates
            height, width = pictures.shape[1:3]
            window = Window.of(spec.preprocessing, Resolution(width, height))
            drawing = Drawing(draws, mixture, spec.images_per_batch, updates, window)
            self._pictures = _place(pictures, drawing, self._strategy, settings)
        self._is_tried = False  # whether a block has run
        self._jit_asked_for = spec.jit == "on"
        self._jit = compiles_with_xla(spec.jit, spec.gpus)
        self._block = self._build_block()

    @property
    def step(self) -> int:
        return int(self._steps_done.numpy())

    @property
    def detours(self) -> int:
        return int(self._detours.numpy())

    @detours.setter
    def detours(self, count: int) -> None:
        self._detours.assign(count)
        self._pictures.forget()

    def warm_up(self) -> None:
        with memory_watched():
            self._block(tf.constant(0, tf.int64), self._pictures.feed(self.step, 0))

    def run(self, steps: int) -> Block:
        most = self._pictures.most_steps or steps
        parts = [min(most, steps - done) for done in range(0, steps, most)]
        with memory_watched():
            frames, losses = zip(*map(self._run_part, parts), strict=True)
        d, g = (np.sum(losses, axis=0) / steps).tolist()
        whole = frames[0] if len(frames) == 1 else np.concatenate(frames)
        return Block(whole, {"d": d, "g": g})

    def last_frame(self) -> Frames:
        def draw() -> Any:
            return self._step.frame(self._grids(self._steps_done.read_value() - 1)[-1])

        call = tf.function(draw, jit_compile=self._jit, autograph=False)
        with memory_watched():
            made = tf.function(lambda: self._strategy.run(call), autograph=False)()
            frame: Frames = self._of_first_replica(made).numpy()[None]
        return frame

    def state(self) -> State:
        return {name: variable.numpy() for name, variable in self._variables.items()}

    def restore(self, state: State) -> None:
        for name, variable in self._variables.items():
            variable.assign(state[name])
        self._pictures.forget()

    def adopt(self, weights: State, *, fitting: bool) -> list[str]:
        own = {
            name: tuple(variable.shape)
            for name, variable in self._variables.items()
            if name.startswith(NETWORKS) and variable.dtype.is_floating
        }
        taken = adoptable(own, weights, fitting=fitting)
        for name, array in taken.items():
            self._variables[name].assign(array)
        self._step.begin_anew()
        return left_out(own, taken)

    def _run_part(self, steps: int) -> tuple[Frames, Any]:
        """Do `steps` steps, at most `most_steps` of the pictures: frames and sums of losses."""
        feed = self._pictures.feed(self.step, steps)
        try:
            frames, losses = self._block(tf.constant(steps, tf.int64), feed)
        except tf.errors.OpError as error:
            # XLA compiles before anything has changed: the same steps can be done without it.
            if self._is_tried or not self._jit:
                raise
            if is_lack_of_memory(error) or is_broken_device(error):
                raise
            if self._jit_asked_for:
                raise MultitrainError(
                    f"XLA cannot compile this job; set jit: off ({error})"
                ) from error
            log.warning("XLA cannot compile this job, which goes on without it: %s", error)
            self._jit = False
            self._block = self._build_block()
            frames, losses = self._block(tf.constant(steps, tf.int64), feed)
        self._is_tried = True
        return frames.numpy(), losses.numpy()

    def _build_block(self) -> Any:
        """`_run_block` as one call for the device; XLA may compile its steps."""
        step = self._step
        if self._jit:
            step = tf.function(step, jit_compile=True, autograph=False)
        feed = self._pictures.feed_spec
        return tf.function(
            lambda steps, feed: self._run_block(step, steps, feed),
            input_signature=[tf.TensorSpec([], tf.int64), feed],
            autograph=False,  # it depends on the version of Python; nothing here needs it
        )

    def _run_block(self, step: Any, steps: Any, feed: Any) -> tuple[Any, Any]:
        """Frames `(steps * frames_per_step, height, width, channels)`, and sums of the losses."""
        first = self._steps_done.read_value()
        count = tf.cast(steps, tf.int32)

        def train_one(offset: Any) -> Any:
            number = first + tf.cast(offset, tf.int64)
            return step(self._draw(number, self._pictures.of_step(feed, offset, number)))

        def train(offset: Any, frames: Any, losses: Any) -> tuple[Any, Any, Any]:
            made = self._strategy.run(train_one, (offset,))
            new_frames, new_losses = map(self._of_first_replica, made)
            return offset + 1, frames.write(offset, new_frames), losses + new_losses

        _, frames, losses = tf.while_loop(
            lambda offset, *_: offset < count,
            train,
            (tf.constant(0), tf.TensorArray(tf.uint8, count, infer_shape=True), tf.zeros((2,))),
            parallel_iterations=1,
        )
        with tf.control_dependencies([losses]):  # nothing counts as done where a step fails
            self._steps_done.assign(first + steps)
        return frames.concat(), losses

    def _draw(self, step: Any, pictures: Any) -> Drawn:
        """In a replica: its share of what is drawn for step `step`, beside its `pictures`."""
        draws, model, batch = self._draws, self._model, self._batch
        latents = [
            draws.latents(step, generation, batch, model.latents)
            for generation in range(model.generations)
        ]
        updates = range(model.discriminator.learning.updates)
        mixing = [draws.mixing(step, update, batch) for update in updates]
        return Drawn(
            latents=share(tf.stack(latents), axis=1),
            pictures=pictures,
            mixing=share(tf.stack(mixing), axis=1),
            grids=self._grids(step),
        )

    def _grids(self, step: Any) -> Any:
        """The latents that the frames of step `step` show."""
        frames = self._frames_per_step
        first = tf.cast(step * frames, tf.int32)
        return motion.at_frames(
            tf.convert_to_tensor(self._grid), self._model.latents, first, frames, self._fps
        )

    def _of_first_replica(self, value: Any) -> Any:
        return self._strategy.experimental_local_results(value)[0]

    def _named_variables(self) -> Iterator[tuple[str, Any]]:
        """All that a resume needs. Random draws are functions of these and of the seed."""
        yield "step", self._steps_done
        yield "detours", self._detours
        yield "latents", self._grid
        for network in (self._model.generator.network, self._model.discriminator.network):
            for variable in network.variables:
                yield f"{network.name}/{variable.path}", variable.value
        parts: list[tuple[str, Any]] = [
            ("optimizer_g", self._step.descent_g),
            ("optimizer_d", self._step.descent_d),
        ]
        if self._step.average:
            parts.append(("average", self._step.average))
        for name, part in parts:
            for path, variable in part.variables():
                yield f"{name}/{path}", variable


def _place(
    pictures: Frames, drawing: Drawing, strategy: Any, settings: SessionSettings
) -> Pictures:
    """The data set, on each replica's device where it fits or the settings say so."""
    on_device = settings.pictures_on_device
    if on_device is None:
        on_device = fits(pictures.nbytes, device_bytes())
    if on_device:
        return PicturesInPlace(pictures, drawing, strategy.extended.worker_devices)
    log.info("the pictures are too many for the device; they are read while it computes")
    return PicturesReadAhead(pictures, drawing)

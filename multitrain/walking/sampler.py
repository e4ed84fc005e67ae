"""Draws pictures with a job's generator, as the frames of its training are drawn.

With moving statistics, without dropout and noise, by the average of the weights where the job has
one, at the job's precision. On whichever engine Keras runs here: weights fit both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from jobs.errors import OriginUnfit
from jobs.families.table import family_of
from jobs.workspace.jobfile import JobFile
from multitrain.diagnosis.memory import memory_watched
from multitrain.engine.adopting import adoptable
from multitrain.engine.model import Sampling
from multitrain.engine.precision import computing_in
from multitrain.engine.session import Frames, SessionSettings, State
from multitrain.families import MODULES

Placed = Sequence[Any]  # the generator's weights on the device


class Sampler:
    """A job's generator on one device, for frames of `rows` x `columns` samples."""

    def __init__(self, job: JobFile, settings: SessionSettings, rows: int, columns: int) -> None:
        """Keras' framework and its device are set up. Raises OutOfMemory and MultitrainError."""
        self._job, self._rows, self._columns = job, rows, columns
        self._prefix = f"{family_of(job.spec).sampler}/"  # of the network's names in states
        with memory_watched():
            compiled, has_native_bfloat16 = _set_up(job, settings)
            with computing_in(job.spec.precision, has_native_bfloat16):
                self._sampling: Sampling = import_module(MODULES[job.spec.family]).describe_sampler(
                    job
                )
            self._draw = compiled(self._frames)
            self._draw_between = compiled(self._frames_between)

    def place(self, weights: State) -> Placed:
        """The sampler's part of these `starting_weights`, on the device. OriginUnfit if unfit."""
        variables = self._sampling.network.variables
        own = {self._prefix + each.path: tuple(each.shape) for each in variables if _learnt(each)}
        offered = {name: array for name, array in weights.items() if name.startswith(self._prefix)}
        try:
            taken = adoptable(own, offered, fitting=False)
        except ValueError as error:
            reason = f"the weights do not fit the networks of {self._job.spec.name}: {error}"
            raise OriginUnfit(reason) from error
        with memory_watched():
            return [
                ops.convert_to_tensor(taken[self._prefix + each.path] if _learnt(each) else each)
                for each in variables
            ]

    def draw(self, weights: Placed, latents: NDArray[np.float32]) -> Frames:
        """Draw latents `(n, samples, length)`.

        Returns frames `(n, frame_height, frame_width, channels)` uint8.
        """
        with memory_watched():
            return np.asarray(self._draw(weights, ops.convert_to_tensor(latents)))

    def draw_between(
        self, a: Placed, b: Placed, share: float, latents: NDArray[np.float32]
    ) -> Frames:
        """As `draw`, with weights at `share` of the way from `a` to `b`."""
        with memory_watched():
            arguments = (ops.convert_to_tensor(np.float32(share)), ops.convert_to_tensor(latents))
            return np.asarray(self._draw_between(a, b, *arguments))

    def _frames_between(self, a: Placed, b: Placed, share: Any, latents: Any) -> Any:
        mixed = [
            one + (other - one) * ops.cast(share, one.dtype) if _learnt(each) else one
            for each, one, other in zip(self._sampling.network.variables, a, b, strict=True)
        ]
        return self._frames(mixed, latents)

    def _frames(self, weights: Placed, latents: Any) -> Any:
        frames, samples, length = latents.shape
        values = self._answer(weights, ops.reshape(latents, (frames * samples, length)))
        pictures = self._sampling.to_picture(values)
        height, width, channels = pictures.shape[1:]
        cells = (frames, self._rows, self._columns, height, width, channels)
        ordered = ops.transpose(ops.reshape(pictures, cells), (0, 1, 3, 2, 4, 5))
        return ops.reshape(ordered, (frames, self._rows * height, -1, channels))

    def _answer(self, weights: Placed, latents: Any) -> Any:
        """The network's outputs with these weights, not training."""
        network = self._sampling.network
        by_place = {id(each): value for each, value in zip(network.variables, weights, strict=True)}
        trainable = [by_place[id(each)] for each in network.trainable_variables]
        others = [by_place[id(each)] for each in network.non_trainable_variables]
        return network.stateless_call(trainable, others, latents, training=False)[0]


def _learnt(variable: Any) -> bool:
    """Whether it is a weight or a statistic. Others count random draws, which are not made here."""
    return bool(keras.backend.is_float_dtype(variable.dtype))


def _set_up(
    job: JobFile, settings: SessionSettings
) -> tuple[Callable[[Callable[..., Any]], Any], Callable[[], bool]]:
    """A compiler of functions for the one device; whether that computes in bfloat16 natively."""
    if keras.backend.backend() == "jax":
        import jax

        from multitrain.engine.jax import devices as jax_devices

        (device,) = jax_devices.devices_for(1, settings)
        return jax.jit, lambda: jax_devices.has_native_bfloat16(device)

    import tensorflow as tf

    from multitrain.engine.tensorflow import devices as tf_devices

    tf_devices.strategy_for(1, settings)
    # Never `on`: what XLA cannot compile was reported when the job was trained.
    jit = tf_devices.compiles_with_xla("off" if job.spec.jit == "off" else "auto", 1)
    return (
        lambda function: tf.function(function, jit_compile=jit, autograph=False),
        tf_devices.has_native_bfloat16,
    )

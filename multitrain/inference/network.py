"""A network that a job has trained, with its weights of any step, on one device.

With moving statistics, without dropout and noise, at the job's precision. On whichever engine Keras
runs here: weights fit both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import keras
import numpy as np
from keras import ops

from jobs.errors import OriginUnfit
from jobs.workspace.jobfile import JobFile
from multitrain.diagnosis.memory import memory_watched
from multitrain.engine.adopting import adoptable
from multitrain.engine.precision import computing_in
from multitrain.engine.session import SessionSettings, State

T = TypeVar("T")
Placed = Sequence[Any]  # a network's weights on the device


class Device:
    """What a framework computes on here, and how it is told to."""

    def __init__(self, job: JobFile, settings: SessionSettings) -> None:
        """Keras' framework and its device are set up. Raises OutOfMemory and MultitrainError."""
        self._job = job
        with memory_watched():
            self.compiled, self._has_native_bfloat16 = _set_up(job, settings)

    def built(self, build: Callable[[], T]) -> T:
        """What `build` returns: networks within compute at the job's precision."""
        with memory_watched(), computing_in(self._job.spec.precision, self._has_native_bfloat16):
            return build()


class TrainedNetwork:
    """A network of a job, whose name is the first part of its weights' names in checkpoints.

    Of one that is made of several networks of the job, theirs are.
    """

    def __init__(self, network: keras.Model, name: str, job: JobFile) -> None:
        self._network, self._job = network, job
        inner = [each for each in network.layers if isinstance(each, keras.Model)]
        named = {each.name: each for each in inner} or {name: network}
        self._prefixes = tuple(f"{each}/" for each in named)
        self._names = {
            id(variable): f"{each}/{variable.path}"
            for each, part in named.items()
            for variable in part.variables
        }

    def place(self, weights: State) -> Placed:
        """The network's part of these `starting_weights`, on the device. OriginUnfit if unfit."""
        variables, names = self._network.variables, self._names
        own = {names[id(each)]: tuple(each.shape) for each in variables if _learnt(each)}
        offered = {
            name: array for name, array in weights.items() if name.startswith(self._prefixes)
        }
        try:
            taken = adoptable(own, offered, fitting=False)
        except ValueError as error:
            reason = f"the weights do not fit the networks of {self._job.spec.name}: {error}"
            raise OriginUnfit(reason) from error
        with memory_watched():
            return [
                ops.convert_to_tensor(taken[names[id(each)]] if _learnt(each) else each)
                for each in variables
            ]

    def between(self, a: Placed, b: Placed, share: Any) -> Placed:
        """Weights at `share` of the way from `a` to `b`; to be called while compiling."""
        return [
            one + (other - one) * ops.cast(share, one.dtype) if _learnt(each) else one
            for each, one, other in zip(self._network.variables, a, b, strict=True)
        ]

    def answer(self, weights: Placed, inputs: Any) -> Any:
        """The network's outputs with these weights, not training."""
        network = self._network
        by_place = {id(each): value for each, value in zip(network.variables, weights, strict=True)}
        trainable = [by_place[id(each)] for each in network.trainable_variables]
        others = [by_place[id(each)] for each in network.non_trainable_variables]
        return network.stateless_call(trainable, others, inputs, training=False)[0]


def share_of(share: float) -> Any:
    """A share for `between`, on the device."""
    return ops.convert_to_tensor(np.float32(share))


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

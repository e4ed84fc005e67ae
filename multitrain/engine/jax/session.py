"""Trains adversaries on JAX: steps follow each other on the device, which waits for nobody."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec, SingleDeviceSharding

from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from multitrain.diagnosis.memory import memory_watched
from multitrain.engine import motion
from multitrain.engine.adopting import adoptable, left_out
from multitrain.engine.adversarial import Adversarial, Drawn
from multitrain.engine.device_memory import fits, gpu_bytes
from multitrain.engine.jax import random as jax_random
from multitrain.engine.jax.devices import Devices, devices_for, has_native_bfloat16, is_gpu
from multitrain.engine.jax.pictures import Drawing, Pictures, PicturesInPlace, PicturesReadAhead
from multitrain.engine.jax.step import AdversarialStep, Carry, Learner, Weights
from multitrain.engine.mixture import Mixture
from multitrain.engine.optimizers import named_variables
from multitrain.engine.precision import computing_in
from multitrain.engine.session import Block, Frames, SessionSettings, State
from multitrain.engine.windows import Window

log = logging.getLogger(__name__)


class JaxSession:
    """A `Session` of two adversaries on one device, or with the batches spread over several."""

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
        devices = devices_for(spec.gpus, settings)
        self._everywhere, shared = _shardings(devices)
        with memory_watched(), jax.default_device(devices[0]):
            with computing_in(spec.precision, lambda: has_native_bfloat16(devices[0])):
                self._model = describe()
            grid = jax_random.grid(spec.seed, spec.samples, self._model.latents)
            self._grid = self._put(grid)
            self._frames_per_step, self._fps = spec.frames_per_step, spec.fps
            self._step = AdversarialStep(
                self._model,
                spec.grid_height,
                spec.grid_width,
                spec.snapshot == "update",
                lambda batch: jax.lax.with_sharding_constraint(batch, shared) if shared else batch,
            )
            self._carry: Carry = self._put(self._step.begin())
            updates = self._model.discriminator.learning.updates
            height, width = pictures.shape[1:3]
            window = Window.of(spec.preprocessing, Resolution(width, height))
            self._drawing = Drawing(spec.seed, mixture, spec.images_per_batch, updates, window)
            self._pictures = self._place(pictures, devices, settings)
        self._steps_done = 0
        self._train = self._compiled()

    @property
    def step(self) -> int:
        return self._steps_done

    @property
    def detours(self) -> int:
        return self._drawing.detours

    @detours.setter
    def detours(self, count: int) -> None:
        self._drawing.detours = count
        self._pictures.forget()

    def warm_up(self) -> None:
        with memory_watched():
            feed = next(iter(self._pictures.feeds(self._steps_done, 1)))
            self._train = self._train.lower(*self._arguments(feed)).compile()

    def run(self, steps: int) -> Block:
        made = []
        with memory_watched():
            self._carry = self._carry._replace(losses=self._put(jnp.zeros((2,))))
            for feed in self._pictures.feeds(self._steps_done, steps):
                self._carry, frames = self._train(*self._arguments(feed))
                self._steps_done += 1
                frames.copy_to_host_async()
                made.append(frames)
            whole = np.concatenate([np.asarray(frames) for frames in made])
            d, g = (np.array(self._carry.losses) / steps).tolist()
        return Block(whole, {"d": d, "g": g})

    def last_frame(self) -> Frames:
        per_step, latents = self._frames_per_step, self._model.latents

        def draw(carry: Carry, grid: Any, step: Any) -> Any:
            first = step.astype(jnp.int32) * per_step
            shown = motion.at_frames(grid, latents, first, per_step, self._fps)
            return self._step.frame(carry.generator, carry.average, shown[-1])

        with memory_watched():
            drawn = jax.jit(draw)(self._carry, self._grid, np.uint32(self._steps_done - 1))
            return np.asarray(drawn)[None]

    def state(self) -> State:
        counters = {"step": np.array(self.step), "detours": np.array(self.detours)}
        with memory_watched():
            return counters | {name: np.array(array) for name, array in self._named_arrays()}

    def adopt(self, weights: State, *, fitting: bool) -> list[str]:
        networks = (self._model.generator.network, self._model.discriminator.network)
        own = {
            f"{network.name}/{variable.path}": variable
            for network in networks
            for variable in network.variables
            if jnp.issubdtype(variable.dtype, jnp.floating)
        }
        shapes = {name: tuple(variable.shape) for name, variable in own.items()}
        taken = adoptable(shapes, weights, fitting=fitting)
        with memory_watched():
            for name, array in taken.items():
                own[name].assign(array)
            self._carry = self._put(self._step.begin())
        return left_out(own, taken)

    def restore(self, state: State) -> None:
        arrays = [_fitting(name, state[name], like=array) for name, array in self._named_arrays()]
        with memory_watched():
            structure = jax.tree.structure((self._grid, *self._carry[:-1]))
            self._grid, g, d, average = self._put(jax.tree.unflatten(structure, arrays))
            self._carry = Carry(g, d, average, self._carry.losses)
        self._steps_done, self.detours = int(state["step"]), int(state["detours"])

    def _arguments(self, feed: Any) -> tuple[Any, ...]:
        """The arguments of the next step, which takes over the memory of the first one."""
        counters = np.array([self.detours, self._steps_done], np.uint32)
        return self._carry, self._grid, counters, self._pictures.resident, feed

    def _named_arrays(self) -> Iterator[tuple[str, Any]]:
        """All that a resume needs beside the counters, the random draws and the seed."""
        names = ("latents", *self._names())
        arrays = (self._grid, *self._carry[:-1])
        yield from zip(jax.tree.leaves(names), jax.tree.leaves(arrays), strict=True)

    def _names(self) -> tuple[Learner, Learner, Weights]:
        """The names of the arrays of both networks and of the average, as in checkpoints."""
        g, d = self._model.generator.network, self._model.discriminator.network
        weights = g.trainable_variables if self._model.average_decay else ()
        return (
            _names_of(g, "optimizer_g", self._step.optimizer_g),
            _names_of(d, "optimizer_d", self._step.optimizer_d),
            _paths("average", weights),
        )

    def _compiled(self) -> Any:
        """A step with its draws, which takes over the memory of what it changes."""
        model, drawing = self._model, self._drawing

        def train(carry: Carry, grid: Any, counters: Any, resident: Any, feed: Any) -> Any:
            detours, step = counters
            which = drawing.seed, detours, step
            count, updates = drawing.batch, model.discriminator.learning.updates
            frames = self._frames_per_step
            first = step.astype(jnp.int32) * frames
            drawn = Drawn(
                jax_random.generations(*which, model.generations, count, model.latents),
                self._pictures.of_step(resident, feed, detours, step),
                jax_random.mixing(*which, updates, count),
                motion.at_frames(grid, model.latents, first, frames, self._fps),
            )
            return self._step(carry, drawn)

        return jax.jit(train, donate_argnums=0, out_shardings=self._everywhere)

    def _place(self, pictures: Frames, devices: Devices, settings: SessionSettings) -> Pictures:
        """The data set, on each device where it fits or the settings say so."""
        on_device = settings.pictures_on_device
        if on_device is None:
            on_device = fits(pictures.nbytes, gpu_bytes() if is_gpu(devices[0]) else None)
        if on_device:
            return PicturesInPlace(self._put(pictures), self._drawing)
        log.info("the pictures are too many for the device; they are read while it computes")
        return PicturesReadAhead(pictures, self._drawing)

    def _put(self, arrays: Any) -> Any:
        """`arrays`, which may be nested, whole on each device."""
        return jax.device_put(arrays, self._everywhere)


def _shardings(devices: Devices) -> tuple[Any, Any]:
    """Shardings: arrays whole on each device; and batches spread over several, None for one."""
    if len(devices) == 1:
        return SingleDeviceSharding(devices[0]), None
    mesh = Mesh(np.array(devices), ("batch",))
    return NamedSharding(mesh, PartitionSpec()), NamedSharding(mesh, PartitionSpec("batch"))


def _names_of(network: Any, name: str, optimizer: Any) -> Learner:
    return Learner(
        _paths(network.name, network.trainable_variables),
        _paths(network.name, network.non_trainable_variables),
        tuple(f"{name}/{place}" for place, _ in named_variables(optimizer)),
    )


def _paths(owner: str, variables: Any) -> Weights:
    return tuple(f"{owner}/{variable.path}" for variable in variables)


def _fitting(name: str, array: Any, like: Any) -> Any:
    """`array` with the type of `like`; ValueError where their shapes differ."""
    if array.shape != like.shape:
        raise ValueError(f"{name} is {array.shape}, not {like.shape}")
    return jnp.asarray(array, like.dtype)

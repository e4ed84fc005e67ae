"""Trains models on JAX: steps follow each other on the device, which waits for nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec, SingleDeviceSharding

from jobs.plans.timing import Timing
from jobs.settings.spec import JobSpec
from multitrain.diagnosis.memory import memory_watched
from multitrain.engine.adopting import adoptable, left_out, require_shapes
from multitrain.engine.device_memory import gpu_bytes
from multitrain.engine.going_on import Handed
from multitrain.engine.groups import Group, mean_measures, measured_pictures, shown_pictures
from multitrain.engine.jax import random as jax_random
from multitrain.engine.jax.devices import Devices, devices_for, has_native_bfloat16, is_gpu
from multitrain.engine.jax.pictures import Feeding
from multitrain.engine.jax.trace import Carry, JaxTrace, Learners
from multitrain.engine.model import Model, Named, Phase
from multitrain.engine.optimizers import plateaus
from multitrain.engine.precision import computing_in
from multitrain.engine.session import Block, Frames, SessionSettings, State, means
from multitrain.engine.step import Drawn, Grid, Step


class JaxSession:
    """A `Session` of any model on one device, or with the batches spread over several."""

    def __init__(
        self,
        describe: Callable[[], Model],
        spec: JobSpec,
        groups: Sequence[Group],
        settings: SessionSettings,
    ) -> None:
        """A batch can be shared out to all devices.

        Raises OutOfMemory and MultitrainError.
        """
        devices = devices_for(spec.gpus, settings)
        self._devices, (self._everywhere, self._spread) = len(devices), _shardings(devices)
        with memory_watched(), jax.default_device(devices[0]):
            with computing_in(spec.precision, lambda: has_native_bfloat16(devices[0])):
                self._model = model = describe()
            self._samples: dict[str, Any] = self._put(
                {
                    name: jax_random.samples(spec.seed, name, spec.samples, chance)
                    for name, chance in model.shown.samples.items()
                }
            )
            shown = shown_pictures(groups, model.shown, spec.samples)
            self._shown_pictures = self._put(shown)
            self._grid = Grid(spec.grid_height, spec.grid_width)
            self._learners = Learners(model)
            self._carry: Carry = self._put(self._learners.begin())
            self._frame_shape = self._grid.frame_shape(model.shown.cell)
            self._seed, self._batch = spec.seed, spec.images_per_batch
            self._feeding = Feeding(
                [each for each in groups if each.is_drawn],
                model.draws,
                spec.seed,
                self._batch,
                self._put,
                gpu_bytes() if is_gpu(devices[0]) else None,
                settings.pictures_on_device,
            )
        self._measured_pictures = measured_pictures(groups, model.measured)
        self._steps_done = self._detours = 0
        self._timing = Timing.of(spec)
        # Compiled, by the first step of their phase and whether they show frames.
        self._steps: dict[tuple[int, bool], Any] = {}

    @property
    def step(self) -> int:
        return self._steps_done

    @property
    def detours(self) -> int:
        return self._detours

    @detours.setter
    def detours(self, count: int) -> None:
        self._detours = count
        self._feeding.go_on_from(self._steps_done, count)

    def warm_up(self) -> None:
        with memory_watched():
            handed = next(iter(self._feeding.handed(self._steps_done, 1)))
            for shows in {self._shows, True}:
                step = self._step_of(self._phase, shows).lower(*self._arguments(handed)).compile()
                self._steps[self._phase.begins, shows] = step

    def run(self, steps: int) -> Block:
        made, counts = [], self._model.steps_of_turns(self._steps_done, steps)
        with memory_watched():
            self._carry = self._carry._replace(losses=jnp.zeros_like(self._carry.losses))
            for handed in self._feeding.handed(self._steps_done, steps):
                step = self._step_of(self._phase, self._shows)
                self._carry, frames = step(*self._arguments(handed))
                self._steps_done += 1
                if frames is not None:
                    frames.copy_to_host_async()
                    made.append(frames)
            none = np.empty((0, *self._frame_shape), np.uint8)
            whole = np.concatenate([np.asarray(frames) for frames in made] or [none])
            losses = means(np.array(self._carry.losses), counts)
        return Block(whole, losses)

    def last_frame(self) -> Frames:
        phase = self._model.phase_at(self._steps_done - 1)
        step = Step(self._model, phase, self._grid)

        def draw(carry: Carry, samples: Named, number: Any) -> Any:
            shown = self._shown(samples, number, phase.frames)
            trace = JaxTrace(self._model, self._learners, phase, carry, self._devices)
            return step.frame(trace, {name: each[-1] for name, each in shown.items()})

        with memory_watched():
            number = np.uint32(self._steps_done - 1)
            samples = self._samples | self._shown_pictures
            return np.asarray(jax.jit(draw)(self._carry, samples, number))[None]

    def measured(self, is_wanted: Callable[[], bool] = lambda: True) -> dict[str, float]:
        if (measured := self._model.measured) is None:
            return {}

        def measure(pictures: Mapping[str, Frames]) -> Any:
            put = {name: self._put(one) for name, one in pictures.items()}
            return np.asarray(self._measure(self._carry, put))

        return mean_measures(measured, self._measured_pictures, measure, is_wanted)

    @cached_property
    def _measure(self) -> Any:
        """What measures the networks by a picture; it is compiled when it is wanted."""
        phase, measured = self._model.phases[0], self._model.measured
        assert measured is not None, "asked for where it is"

        def measure(carry: Carry, pictures: Any) -> Any:
            trace = JaxTrace(self._model, self._learners, phase, carry, self._devices)
            return trace.show(lambda nets: measured.measure(nets, pictures))

        return jax.jit(measure)

    def follow(self, measured: Sequence[Sequence[Mapping[str, float]]]) -> None:
        rates = plateaus(self._model.turns, measured)
        if not rates:
            return
        optimizers = self._put(self._learners.with_rates(self._carry.optimizers, rates))
        self._carry = self._carry._replace(optimizers=optimizers)

    def state(self) -> State:
        counters = {"step": np.array(self.step), "detours": np.array(self.detours)}
        with memory_watched():
            return counters | {name: np.array(array) for name, array in self._named_arrays()}

    def adopt(self, weights: State, *, fitting: bool) -> list[str]:
        own = {
            f"{name}/{variable.path}": variable
            for name, network in self._model.networks.items()
            for variable in network.variables
            if jnp.issubdtype(variable.dtype, jnp.floating)
        }
        shapes = {name: tuple(variable.shape) for name, variable in own.items()}
        taken = adoptable(shapes, weights, fitting=fitting)
        with memory_watched():
            for name, array in taken.items():
                own[name].assign(array)
            self._carry = self._put(self._learners.begin())
        return left_out(own, taken)

    def restore(self, state: State) -> None:
        own = dict(self._named_arrays())
        require_shapes({name: array.shape for name, array in own.items()}, state)
        arrays = [jnp.asarray(state[name], like.dtype) for name, like in own.items()]
        with memory_watched():
            structure = jax.tree.structure(self._lasting())
            self._samples, lasting = self._put(jax.tree.unflatten(structure, arrays))
            self._carry = lasting._replace(losses=self._carry.losses)
        self._steps_done, self._detours = int(state["step"]), int(state["detours"])
        self._feeding.go_on_from(0, self._detours)

    @property
    def _phase(self) -> Phase:
        return self._model.phase_at(self._steps_done)

    @property
    def _shows(self) -> bool:
        """Whether the next step shows frames."""
        return self._timing.makes_frames(self._steps_done)

    def _arguments(self, handed: Handed) -> tuple[Any, ...]:
        """The arguments of the next step, which takes over the memory of the first one."""
        counters = np.array([self.detours, self._steps_done], np.uint32)
        samples = self._samples | self._shown_pictures
        return self._carry, samples, counters, self._feeding.resident, handed

    def _lasting(self) -> tuple[dict[str, Any], Carry]:
        return self._samples, self._carry._replace(losses=None)

    def _named_arrays(self) -> Iterator[tuple[str, Any]]:
        """All that a resume needs beside the counters, the random draws and the seed."""
        names = ({name: name for name in self._samples}, self._learners.names())
        yield from zip(jax.tree.leaves(names), jax.tree.leaves(self._lasting()), strict=True)

    def _step_of(self, phase: Phase, shows: bool) -> Any:
        """A step of a phase, with its frames or without; it is compiled when it runs first."""
        kind = phase.begins, shows
        if kind not in self._steps:
            self._steps[kind] = self._compiled(phase if shows else phase.silent)
        return self._steps[kind]

    def _compiled(self, phase: Phase) -> Any:
        """A step with its draws, which takes over the memory of what it changes."""
        model, feeding = self._model, self._feeding
        step = Step(model, phase, self._grid)

        def train(
            carry: Carry, samples: Named, counters: Any, resident: Named, handed: Handed
        ) -> Any:
            detours, number = counters
            chance = {
                name: jax_random.chances(
                    self._seed, detours, number, name, each, model.draws[name], self._batch
                )
                for name, each in model.chance.items()
            }
            drawn = Drawn(
                self._shared_out(feeding.of_step(resident, handed, detours, number)),
                self._shared_out(chance),
                self._shown(samples, number, phase.frames) if phase.frames else {},
            )
            trace = JaxTrace(model, self._learners, phase, carry, self._devices)
            frames, losses = step(trace, drawn)
            return trace.after._replace(losses=carry.losses + losses), frames

        return jax.jit(train, donate_argnums=0, out_shardings=self._everywhere)

    def _shown(self, samples: Named, step: Any, frames: int) -> Named:
        """Traced: what the frames of the step that follows `step` steps show."""
        first = self._timing.first_frame(step.astype(jnp.int32))
        return self._model.shown.at(samples, first, frames)

    def _shared_out(self, drawn: Named) -> Named:
        """Traced: tensors `(draws, n, ...)`, whose pictures are spread over several devices."""
        if self._spread is None:
            return drawn
        return {
            name: jax.lax.with_sharding_constraint(tensor, self._spread)
            for name, tensor in drawn.items()
        }

    def _put(self, arrays: Any) -> Any:
        """`arrays`, which may be nested, whole on each device."""
        return jax.device_put(arrays, self._everywhere)


def _shardings(devices: Devices) -> tuple[Any, Any]:
    """Shardings: arrays whole on each device; and batches spread over several, None for one."""
    if len(devices) == 1:
        return SingleDeviceSharding(devices[0]), None
    mesh = Mesh(np.array(devices), ("batch",))
    return NamedSharding(mesh, PartitionSpec()), NamedSharding(mesh, PartitionSpec(None, "batch"))

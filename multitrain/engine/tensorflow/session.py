"""Trains models on TensorFlow: many steps per call, nothing leaves the device in between."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
import tensorflow as tf

from jobs.errors import MultitrainError
from jobs.plans.timing import Timing
from jobs.settings.spec import JobSpec
from multitrain.diagnosis.broken_devices import is_broken_device
from multitrain.diagnosis.memory import is_lack_of_memory, memory_watched
from multitrain.engine.adopting import adoptable, left_out, require_shapes
from multitrain.engine.going_on import Handed
from multitrain.engine.groups import Group, mean_measures, measured_pictures, shown_pictures
from multitrain.engine.model import Model, Named, Phase
from multitrain.engine.optimizers import plateaus
from multitrain.engine.precision import computing_in
from multitrain.engine.session import Block, Frames, SessionSettings, State, means
from multitrain.engine.step import Drawn, Grid, Step
from multitrain.engine.tensorflow.devices import (
    compiles_with_xla,
    has_native_bfloat16,
    strategy_for,
)
from multitrain.engine.tensorflow.pictures import Feeding
from multitrain.engine.tensorflow.random import Draws
from multitrain.engine.tensorflow.trace import Learners, TensorFlowTrace
from multitrain.networks.native.replicas import mean_over_replicas, share

log = logging.getLogger(__name__)


class TensorFlowSession:
    """A `Session` of any model on one device, or mirrored over several."""

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
        self._strategy = strategy_for(spec.gpus, settings)
        with memory_watched(), self._strategy.scope():
            with computing_in(spec.precision, has_native_bfloat16):
                self._model = model = describe()
            self._steps_done = tf.Variable(0, dtype=tf.int64, trainable=False)
            self._detours = tf.Variable(0, dtype=tf.int64, trainable=False)
            self._batch = spec.images_per_batch
            self._draws = draws = Draws(spec.seed, self._detours)
            self._samples = {
                name: tf.Variable(draws.samples(name, spec.samples, chance), trainable=False)
                for name, chance in model.shown.samples.items()
            }
            self._shown_pictures = {
                name: tf.constant(each)
                for name, each in shown_pictures(groups, model.shown, spec.samples).items()
            }
            self._grid = Grid(spec.grid_height, spec.grid_width)
            self._learners = Learners(model)
            self._variables = dict(self._named_variables())
            self._frame_shape = self._grid.frame_shape(model.shown.cell)
            devices, on_device = self._strategy.extended.worker_devices, settings.pictures_on_device
            drawn = [each for each in groups if each.is_drawn]
            self._feeding = Feeding(drawn, model.draws, draws, self._batch, devices, on_device)
        self._timing = Timing.of(spec)
        # Kinds of steps that have run: the first step of their phase, and whether they show frames.
        self._tried: set[tuple[int, bool]] = set()
        self._jit_asked_for = spec.jit == "on"
        self._jit = compiles_with_xla(spec.jit, spec.gpus)
        self._blocks: dict[int, Any] = {}  # by the first step of their phase
        self._measured_pictures = measured_pictures(groups, model.measured)

    @property
    def step(self) -> int:
        return int(self._steps_done.numpy())

    @property
    def detours(self) -> int:
        return int(self._detours.numpy())

    @detours.setter
    def detours(self, count: int) -> None:
        self._detours.assign(count)
        self._feeding.go_on_from(self.step, count)

    def warm_up(self) -> None:
        with memory_watched():
            self._block()(*self._arguments(0))

    def run(self, steps: int) -> Block:
        counts = self._model.steps_of_turns(self.step, steps)
        with memory_watched():
            made = [self._run_part(part) for part in self._parts(steps)]
        frames, losses = zip(*made, strict=True)
        whole = frames[0] if len(frames) == 1 else np.concatenate(frames)
        return Block(whole, means(np.sum(losses, axis=0), counts))

    def last_frame(self) -> Frames:
        phase = self._model.phase_at(self.step - 1)
        step = Step(self._model, phase, self._grid)

        def draw() -> Any:
            shown = self._shown(self._steps_done.read_value() - 1, phase.frames)
            trace = TensorFlowTrace(self._model, self._learners, phase)
            return step.frame(trace, {name: each[-1] for name, each in shown.items()})

        call = tf.function(draw, jit_compile=self._jit, autograph=False)
        with memory_watched():
            made = tf.function(lambda: self._strategy.run(call), autograph=False)()
            frame: Frames = self._of_first_replica(made).numpy()[None]
        return frame

    def measured(self, is_wanted: Callable[[], bool] = lambda: True) -> dict[str, float]:
        if (measured := self._model.measured) is None:
            return {}

        def measure(pictures: Mapping[str, Frames]) -> Any:
            return self._measure({name: tf.constant(one) for name, one in pictures.items()}).numpy()

        return mean_measures(measured, self._measured_pictures, measure, is_wanted)

    @cached_property
    def _measure(self) -> Any:
        """What measures the networks by a picture, as one call; it is built when it is wanted."""
        phase, measured = self._model.phases[0], self._model.measured
        assert measured is not None, "asked for where it is"

        def measure(pictures: Any) -> Any:
            trace = TensorFlowTrace(self._model, self._learners, phase)
            return trace.show(lambda nets: measured.measure(nets, pictures))

        call = tf.function(measure, jit_compile=self._jit, autograph=False)

        def run(pictures: Any) -> Any:
            return self._of_first_replica(self._strategy.run(call, (pictures,)))

        return tf.function(run, autograph=False)

    def follow(self, measured: Sequence[Sequence[Mapping[str, float]]]) -> None:
        for turn, rate in plateaus(self._model.turns, measured).items():
            self._learners.descents[turn].set_rate(rate)

    def state(self) -> State:
        return {name: variable.numpy() for name, variable in self._variables.items()}

    def restore(self, state: State) -> None:
        require_shapes({name: tuple(each.shape) for name, each in self._variables.items()}, state)
        for name, variable in self._variables.items():
            variable.assign(state[name])
        self._feeding.go_on_from(0, self.detours)

    def adopt(self, weights: State, *, fitting: bool) -> list[str]:
        own = {
            name: tuple(variable.shape)
            for name, variable in self._variables.items()
            if name.partition("/")[0] in self._model.networks and variable.dtype.is_floating
        }
        taken = adoptable(own, weights, fitting=fitting)
        for name, array in taken.items():
            self._variables[name].assign(array)
        self._learners.begin_anew()
        return left_out(own, taken)

    def _parts(self, steps: int) -> Iterator[int]:
        """So many steps in parts: each of one phase, and no more than the pictures allow.

        The first step of a kind begins a part: where XLA cannot compile it, nothing has changed.
        """
        while steps:
            most = [self._feeding.most_steps, self._model.steps_until_next_phase(self.step)]
            if self._timing.has_silent_steps:
                most.append(self._steps_until_new_kind())
            part = min([steps, *(each for each in most if each is not None)])
            yield part
            steps -= part

    def _kind(self, step: int) -> tuple[int, bool]:
        """What the step that follows `step` steps is compiled for."""
        return self._model.phase_at(step).begins, self._timing.makes_frames(step)

    def _steps_until_new_kind(self) -> int | None:
        """How many steps there are before one of a kind that has not run; None: it is the next."""
        silent = self._timing.silent_steps(self.step)
        is_new = self._kind(self.step + silent) not in self._tried
        return silent if silent and is_new else None

    def _run_part(self, steps: int) -> tuple[Frames, Any]:
        """Do `steps` steps of one phase: frames and sums of losses."""
        kind, arguments = self._kind(self.step), self._arguments(steps)
        try:
            frames, losses = self._block()(*arguments)
        except tf.errors.OpError as error:
            # XLA compiles before anything has changed: the same steps can be done without it.
            if kind in self._tried or not self._jit:
                raise
            if is_lack_of_memory(error) or is_broken_device(error):
                raise
            if self._jit_asked_for:
                raise MultitrainError(
                    f"XLA cannot compile this job; set jit: off ({error})"
                ) from error
            log.warning("XLA cannot compile this job, which goes on without it: %s", error)
            self._jit = False
            self._blocks.clear()
            frames, losses = self._block()(*arguments)
        self._tried.add(kind)
        return frames.numpy(), losses.numpy()

    def _arguments(self, steps: int) -> tuple[Any, ...]:
        """The arguments of a block of so many steps: these, how many steps come before the first
        that shows frames, how many such steps there are, and what is fed.
        """
        silent, timing = self._timing.silent_steps(self.step), self._timing
        showing = timing.frames_by(self.step + steps) - timing.frames_by(self.step)
        counts = (silent, showing // timing.frames_per_step)
        handed = self._feeding.handed(self.step, steps)
        return tf.constant(steps, tf.int64), *(tf.constant(n, tf.int32) for n in counts), handed

    def _block(self) -> Any:
        """The block of the phase that the training is in; it is built at the phase's first call."""
        phase = self._model.phase_at(self.step)
        if phase.begins not in self._blocks:
            self._blocks[phase.begins] = self._build_block(phase)
        return self._blocks[phase.begins]

    def _build_block(self, phase: Phase) -> Any:
        """`_run_block` as one call for the device; XLA may compile its steps."""
        count = tf.TensorSpec([], tf.int32)
        return tf.function(
            partial(self._run_block, self._step(phase), self._step(phase.silent)),
            input_signature=[tf.TensorSpec([], tf.int64), count, count, self._feeding.spec],
            autograph=False,  # it depends on the version of Python; nothing here needs it
        )

    def _step(self, phase: Phase) -> Callable[[Any, Any], Any]:
        """In a replica: one step of a phase, `step(number, feeds)`: frames, or None, and losses.

        It is traced when it is called first.
        """
        trained = Step(self._model, phase, self._grid)

        def step(drawn: Drawn) -> Any:
            frames, losses = trained(TensorFlowTrace(self._model, self._learners, phase), drawn)
            return frames, mean_over_replicas(losses)

        if self._jit:
            step = tf.function(step, jit_compile=True, autograph=False)
        return lambda number, feeds: step(self._draw(number, phase, feeds))

    def _run_block(
        self, step: Any, silent_step: Any, steps: Any, silent: Any, showing: Any, handed: Handed
    ) -> tuple[Any, Any]:
        """Frames `(n, height, width, channels)`, and sums of the losses.

        `showing` of the steps show frames, the first one after `silent` steps.
        """
        first = self._steps_done.read_value()
        count = tf.cast(steps, tf.int32)

        def run(step: Any, offset: Any) -> tuple[Any, Any]:
            def train_one(offset: Any) -> Any:
                number = first + tf.cast(offset, tf.int64)
                return step(number, self._feeding.of_step(handed, offset, number))

            frames, losses = self._strategy.run(train_one, (offset,))
            return frames, self._of_first_replica(losses)

        def show(offset: Any, shown: Any, frames: Any) -> tuple[Any, Any, Any]:
            new_frames, losses = run(step, offset)
            return shown + 1, frames.write(shown, self._of_first_replica(new_frames)), losses

        def train(offset: Any, shown: Any, frames: Any, losses: Any) -> tuple[Any, ...]:
            if not self._timing.has_silent_steps:
                shown, frames, new_losses = show(offset, shown, frames)
            else:
                since = offset - silent
                shows = (since >= 0) & (since % self._timing.steps_per_frame == 0)
                shown, frames, new_losses = tf.cond(
                    shows,
                    lambda: show(offset, shown, frames),
                    lambda: (shown, frames, run(silent_step, offset)[1]),
                )
            return offset + 1, shown, frames, losses + new_losses

        nothing = tf.zeros((len(self._model.turns),))
        of_step = (self._timing.frames_per_step, *self._frame_shape)
        room = tf.TensorArray(tf.uint8, showing, element_shape=of_step)
        *_, frames, losses = tf.while_loop(
            lambda offset, *_: offset < count,
            train,
            (tf.constant(0), tf.constant(0), room, nothing),
            parallel_iterations=1,
        )
        with tf.control_dependencies([losses]):  # nothing counts as done where a step fails
            self._steps_done.assign(first + steps)
        return frames.concat(), losses

    def _draw(self, step: Any, phase: Phase, feeds: Named) -> Drawn:
        """In a replica: its share of what is drawn for step `step`, beside its `feeds`."""
        chance = {
            name: share(
                tf.stack(
                    [
                        self._draws.chance(name, each, step, number, self._batch)
                        for number in range(self._model.draws[name])
                    ]
                ),
                axis=1,
            )
            for name, each in self._model.chance.items()
        }
        shown = self._shown(step, phase.frames) if phase.frames else {}
        return Drawn(feeds, chance, shown)

    def _shown(self, step: Any, frames: int) -> Named:
        """What the frames of the step that follows `step` steps show."""
        samples = {name: tf.convert_to_tensor(each) for name, each in self._samples.items()}
        first = tf.cast(self._timing.first_frame(step), tf.int32)
        return self._model.shown.at(samples | self._shown_pictures, first, frames)

    def _of_first_replica(self, value: Any) -> Any:
        return self._strategy.experimental_local_results(value)[0]

    def _named_variables(self) -> Iterator[tuple[str, Any]]:
        """All that a resume needs. Random draws are functions of these and of the seed."""
        yield "step", self._steps_done
        yield "detours", self._detours
        yield from self._samples.items()
        for name, network in self._model.networks.items():
            for variable in network.variables:
                yield f"{name}/{variable.path}", variable.value
        yield from self._learners.variables()

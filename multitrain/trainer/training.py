"""The training of one job: blocks of steps, frames into the spool, checkpoints, going back on NaN.

While the device makes a block, the one before is written. Knows neither processes nor frameworks:
the session, the clock and the request to stop are arguments.
"""

from __future__ import annotations

import gc
import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from jobs.errors import Diverged, MultitrainError, NothingComes, PicturesChanged, PicturesDamaged
from jobs.plans.plan import FramePlan
from jobs.settings.spec import JobSpec
from jobs.settings.words import start_over
from jobs.workspace.paths import CheckpointName, JobPaths
from multitrain.datasets.decoded.folders import Fingerprint
from multitrain.engine.session import Block, Session, State
from multitrain.trainer.measured import Measured
from multitrain.trainer.pacing import Pace, ends_timecut, steps_within
from multitrain.trainer.progress import ProgressLog
from multitrain.weights import checkpoints
from multitrain.weights.checkpoints import Checkpoint
from render.delivery.targets import ends_to_keep
from render.spool.room import SPOOL_IS_FULL, Room
from render.spool.spool import SpoolWriter, rewind

CHECKPOINT_SECONDS = 120.0
ROOM_POLL_SECONDS = 0.2
RESTORES = 3  # from one checkpoint, before a training counts as diverged

log = logging.getLogger(__name__)


class NotFinite(Exception):
    """NaN or infinity; the message says which loss or weight, and where."""


@dataclass(frozen=True)
class TimedBlock:
    """A block, the step after it and how long the device took; what was measured then, and how long
    both took.
    """

    block: Block
    step: int
    steps: int
    seconds: float
    measures: Mapping[str, float] = field(default_factory=dict)
    seconds_in_all: float | None = None


@dataclass
class Training:
    """One job from its last checkpoint to its last frame, or to a request to stop."""

    spec: JobSpec
    paths: JobPaths
    plan: FramePlan
    open_session: Callable[[], Session]  # at step 0, always the same
    pictures: Mapping[str, Fingerprint]  # by feed, of the pictures that the session trains on
    room: Room
    stop: threading.Event = field(default_factory=threading.Event)
    are_intact: Callable[[], bool] = lambda: True  # whether the pictures are; may take a while
    measured_by: str = ""  # identifies the pictures that networks are measured by
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._progress = ProgressLog(self.paths)
        measured = self.spec.validate_every if self.spec.validation else None
        self._pace = Pace(self.plan, self.spec.keep_checkpoints, measured)
        self._measured = Measured(self.measured_by)
        self._saved_at = (0, self.clock())  # step and time of the last checkpoint
        self._restores = 0
        self._waited = 0.0  # seconds in which others took too much of the disk
        self._final: State | None = None  # after the last step, once known to be finite

    def run(self) -> bool:
        """Train. True when every frame is written and covered, False when stopped before.

        Raises Diverged, PicturesChanged, PicturesDamaged, OutOfMemory, other MultitrainErrors, and
        OSError for a full disk. Whatever ends it, the next Training goes on from the newest
        checkpoint.
        """
        self.session = self.open_session()
        # A session that copied its pictures has intact ones if they are intact now. One that reads
        # them all the time may still meet damage later.
        looking = ThreadPoolExecutor(1, "pictures")
        self._looked = looking.submit(self.are_intact)
        looking.shutdown(wait=False)
        self._go_to_last_checkpoint()
        try:
            while True:
                try:
                    return self._train()
                except NotFinite as trouble:
                    self._go_back(trouble)
        finally:
            self._progress.close()
            self._writer.close()

    # Going on and going back

    def _go_to_last_checkpoint(self) -> None:
        checkpoint = (
            checkpoints.load_newest(self.paths, self.spec.family, self.spec.engine)
            if self.spec.use_checkpoints
            else None
        )
        if checkpoint:
            self._require_same_pictures(checkpoint)
            self._restore(checkpoint)
        elif self._saved_at[0]:
            raise MultitrainError(
                f"{self.paths.checkpoints} is empty; run it with {start_over(self.spec.name)}"
            )
        elif self.session.step:
            self._begin_anew()
        step = self.session.step
        self._measured.restore(checkpoint.state if checkpoint else {})
        frame = rewind(self.paths, self.plan, checkpoint.name.frame if checkpoint else 0)
        self._writer = SpoolWriter(self.paths, self.plan, frame)
        self._draw_dropped()
        checkpoints.drop_kept_beyond(self.paths, step)
        self._measured.keep_to(self.paths.best_steps())
        self._progress.rewind(step)
        self._saved_at = (step, self.clock())
        what = "going on" if checkpoint else "beginning"
        log.info("%s at step %d of %d, frame %d", what, step, self.plan.steps_total, frame)

    def _draw_dropped(self) -> None:
        """Draw the last frame of the checkpoint's step, if that was beyond the film's end then."""
        if self._writer.frame < self.plan.frame_after(self.session.step):
            self._writer.write(self.session.last_frame())

    def _begin_anew(self) -> None:
        """Open a new session. Rare: to keep a copy of every beginning would cost more."""
        del self.session  # two sessions may be too much for the device
        gc.collect()  # what frameworks compile has reference cycles
        self.session = self.open_session()

    def _require_same_pictures(self, checkpoint: Checkpoint) -> None:
        for name in {**checkpoint.pictures, **self.pictures}:
            then, now = checkpoint.pictures.get(name), self.pictures.get(name)
            if then and now:
                difference = then.difference(now)
            else:
                difference = f"{then or 'none'} of {name} then, {now or 'none'} now"
            if difference:
                raise PicturesChanged(
                    f"the pictures changed since the checkpoint: {difference}; put them back or "
                    f"start over with {start_over(self.spec.name)}"
                )

    def _restore(self, checkpoint: Checkpoint) -> None:
        try:
            self.session.restore(checkpoint.state)
        except (KeyError, ValueError) as error:
            raise MultitrainError(
                f"{self.paths.checkpoint(checkpoint.name)} does not fit this job's networks "
                f"({error}); run it with {start_over(self.spec.name)}"
            ) from error

    def _go_back(self, trouble: NotFinite) -> None:
        if self._restores == RESTORES:
            raise Diverged(
                f"{trouble}, also after going back {RESTORES} times; lower learning_rate_g and "
                "learning_rate_d, or try other activations"
            ) from trouble
        self._restores += 1
        detours = self.session.detours + 1
        log.warning("%s; going back, try %d of %d", trouble, self._restores, RESTORES)
        self._writer.close()
        self._go_to_last_checkpoint()
        self.session.detours = detours

    # The loop

    def _train(self) -> bool:
        while not self._is_over():
            self._measure_again()
            self._keep_weights()
            if self._checkpoint_is_due():
                self._save()
            self._wait_for_room()
            if not self.stop.is_set():
                try:
                    self._run_blocks()
                except NothingComes:
                    self._save()  # what came does not come again
                    raise
        self._keep_weights()
        self._save()
        return self.session.step >= self.plan.steps_total

    def _run_blocks(self) -> None:
        """Train blocks without a pause: each is written while the device makes the next."""
        with ThreadPoolExecutor(1, "device") as device:
            coming: Future[TimedBlock] | None = device.submit(self._make_block, self._next_steps())
            while coming:
                made = coming.result()
                if made.measures:
                    self._note(made.step, made.measures)
                is_due = self._checkpoint_is_due() or self._is_to_keep_weights()
                pauses = self._is_over() or is_due or self._shortage(made.steps)
                steps = self._next_steps(made.steps)
                coming = None if pauses else device.submit(self._make_block, steps)
                self._take(made)

    def _next_steps(self, in_hand: int = 0) -> int:
        """Steps of the next block: near the disk's floor, as few as there is room for.

        `in_hand` are steps that are made and whose frames are not written yet.
        """
        step = self.session.step
        steps, above = self._pace.steps_from(step), self.room.above_floor()
        if above == math.inf:
            return steps
        frames = int(above / self.plan.frame_bytes) - self._frames_of(step - in_hand, in_hand)
        return max(1, min(steps, steps_within(self.plan, step, max(0, frames))))

    def _frames_of(self, step: int, steps: int) -> int:
        """How many frames so many steps from `step` on make."""
        return self.plan.timing.frames_by(step + steps) - self.plan.timing.frames_by(step)

    def _make_block(self, steps: int) -> TimedBlock:
        start, before = time.perf_counter(), self.session.step
        block = self.session.run(steps)
        seconds, step = time.perf_counter() - start, self.session.step
        steps = step - before
        if not self._is_to_measure(step):
            return TimedBlock(block, step, steps, seconds)
        measures = self._measure(step)
        return TimedBlock(block, step, steps, seconds, measures, time.perf_counter() - start)

    def _is_to_measure(self, step: int) -> bool:
        """Whether the networks are to be measured after so many steps: also after the last one."""
        every = self.spec.validate_every if self.spec.validation else None
        if every is None or step == 0:
            return False
        return step % every == 0 or step >= self.plan.steps_total

    def _measure(self, step: int) -> Mapping[str, float]:
        """What the networks come to now; nothing where a drain cuts it short before the end."""
        is_last = step >= self.plan.steps_total
        return self.session.measured(lambda: is_last or not self.stop.is_set())

    def _note(self, step: int, measures: Mapping[str, float]) -> None:
        """Note what was measured; the next step learns as that has it."""
        self._measured.add(step, measures)
        self.session.follow(self._measured.values)

    def _measure_again(self) -> None:
        """Measure what a drain has left out, before any step rests on it."""
        step = self.session.step
        if self._measured.step == step or not self._is_to_measure(step):
            return
        if measures := self._measure(step):
            self._note(step, measures)
            frame = self.plan.frame_after(step)
            self._progress.tell(step, frame, 0.0, {}, self._waited, measures)

    def _take(self, made: TimedBlock) -> None:
        for name, loss in made.block.losses.items():
            if not math.isfinite(loss):
                raise NotFinite(f"the loss {name} became {loss} before step {made.step}")
        if made.step >= self.plan.steps_total:  # these frames count before a checkpoint checks them
            self._require_intact_pictures()
            self._final = self._finite_state()
        first = self.plan.timing.frames_by(made.step - made.steps)
        self._writer.write(made.block.frames[max(0, self._writer.frame - first) :])
        frame = self.plan.frame_after(made.step)
        self._progress.tell(
            made.step,
            frame,
            made.steps / (made.seconds_in_all or made.seconds),
            made.block.losses,
            self._waited,
            made.measures,
        )
        self._pace.observe(made.steps, made.seconds)

    def _is_over(self) -> bool:
        return self.stop.is_set() or self.session.step >= self.plan.steps_total

    # Checkpoints and room

    def _checkpoint_is_due(self) -> bool:
        step, when = self._saved_at
        if not self.spec.use_checkpoints or self.session.step == step:
            return False
        overdue = self.clock() - when >= CHECKPOINT_SECONDS
        return overdue or ends_timecut(self.plan, self.session.step)

    def _save(self) -> None:
        """Save a checkpoint, if there is anything new to keep; first the frames that it covers."""
        step = self.session.step
        if self.stop.is_set() and not self._looked.done():
            return  # a drain waits for no disk: what no checkpoint covers is made again
        self._require_intact_pictures()
        self._writer.flush()
        if not self.spec.use_checkpoints or step == self._saved_at[0]:
            return
        state = {**(self._final or self._finite_state()), **self._measured.state()}
        name = CheckpointName(step, self.plan.frame_after(step))
        kind = self.spec.family, self.spec.engine
        checkpoint = Checkpoint(name, *kind, self.pictures, state)
        checkpoints.save(self.paths, checkpoint, ends_to_keep(self.paths, self.spec, self.plan))
        checkpoints.drop_surpassed(self.paths)
        self._saved_at = (step, self.clock())
        self._restores = 0
        log.info("checkpoint at step %d, frame %d", *name)

    def _require_intact_pictures(self) -> None:
        """Wait until the pictures are looked at; PicturesDamaged before anything counts."""
        if not self._looked.result():
            raise PicturesDamaged("the decoded pictures are damaged")

    def _is_to_keep_weights(self) -> bool:
        return self._is_asked_for() or self._is_best()

    def _is_asked_for(self) -> bool:
        """Whether `keep_checkpoints` asks for this step's weights, and they are not there yet."""
        every, step = self.spec.keep_checkpoints, self.session.step
        if every is None or step % every:
            return False
        return not self.paths.kept_weights(step).exists()

    def _is_best(self) -> bool:
        """Whether this step's weights are the best so far, and are not there yet."""
        step = self.session.step
        if self._measured.best(self.spec.keep_best) != step:
            return False
        return not self.paths.best_weights(step).exists()

    def _keep_weights(self) -> None:
        """Keep this step's weights, if asked for, or best: before its checkpoint, which a resume
        starts from.
        """
        step, family = self.session.step, self.spec.family
        if self._is_asked_for():
            checkpoints.keep_weights(self.paths, step, family, self._final or self._finite_state())
            log.info("weights of step %d are kept", step)
        if self._is_best():
            state = self._final or self._finite_state()
            checkpoints.keep_best_weights(self.paths, step, family, state)
            checkpoints.drop_surpassed(self.paths)
            log.info("weights of step %d are kept: the best so far", step)

    def _finite_state(self) -> State:
        """The session's present state. NotFinite where it holds NaN or infinity."""
        state = self.session.state()
        for name, array in state.items():
            if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
                raise NotFinite(f"{name} became NaN or infinite before step {self.session.step}")
        return state

    def _wait_for_room(self) -> None:
        """Wait while this job's files, or those of others, take too much of the disk."""
        shortage = self._shortage()
        if not shortage:
            return
        self._save()  # only frames that a checkpoint covers can make room
        log.info("%s; waiting at step %d", shortage, self.session.step)
        began = self.clock()
        while self._shortage(waiting=True) and not self.stop.wait(ROOM_POLL_SECONDS):
            pass
        if shortage != SPOOL_IS_FULL:  # slow encoders are part of the speed
            self._waited += self.clock() - began
        if not self.stop.is_set():
            log.info("there is room; going on")

    def _shortage(self, in_hand: int = 0, *, waiting: bool = False) -> str | None:
        """Why there is no room for a step more, after those `in_hand`; None if there is."""
        step = self.session.step
        frames = self._frames_of(step - in_hand, in_hand + 1)
        return self.room.shortage(
            self.plan.frame_after(step), coming=frames * self.plan.frame_bytes, waiting=waiting
        )

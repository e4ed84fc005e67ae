"""The jobs in a farm's hands, and the trainers at work on them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jobs.workspace.failures import Failure
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import CheckpointName, JobPaths, Workspace
from jobs.workspace.states import State
from jobs.workspace.store import JobRow
from multitrain.executors import Process
from multitrain.farm.events import JobView, StepsView
from multitrain.farm.progress_reader import Progress, first_progress
from multitrain.farm.stalls_and_retries import StallWatch, Tries
from multitrain.slots.slots import Lease
from render.films.extent import steps_made
from render.spool.notes import still_to_draw

STARTING_SECONDS = 60.0


@dataclass
class Try:
    """A trainer at work."""

    process: Process
    lease: Lease
    watch: StallWatch
    since: float  # seconds of the farm's clock
    reports_in: Path  # the file in which it reports how far it is
    step_before: int  # the last one reported when it began
    progress: Progress | None = None
    first_progress: Progress | None = None  # the first that this try reported
    last_trained: Progress | None = None  # the newest that it reported before it drew walks
    memory: int = 0  # bytes, the most that it was seen to have of one GPU; 0: not known
    first_at: float = 0.0  # when `first_progress` was seen, by the farm's clock
    condemned: Failure | None = None  # why it is ended although it trains
    ends_at: float = float("inf")
    is_draining: bool = False

    def drain(self) -> None:
        """Have the trainer write a checkpoint and end; asked twice, it would end at once."""
        if not self.is_draining:
            self.is_draining = True
            self.process.drain()

    def is_starting(self, now: float) -> bool:
        """Whether it has yet to do its first step, and does not take unusually long for that."""
        return not self.watch.has_begun and now < self.since + STARTING_SECONDS

    def saw(self, progress: Progress, now: float) -> None:
        """Note what the trainer has reported at `now`; at first, that may be of the try before."""
        self.progress = progress
        if not self.watch.has_begun or progress.walked:
            return
        self.last_trained = progress
        if self.first_progress is None:
            # Several blocks may have been made since the last look.
            first = first_progress(self.reports_in, self.step_before)
            self.first_progress, self.first_at = first or progress, now

    def condemn(self, failure: Failure, ends_at: float) -> None:
        self.condemned, self.ends_at = failure, ends_at


@dataclass
class ActiveJob:
    """A job in the farm's hands."""

    file: JobFile
    paths: JobPaths
    tries: Tries
    state: State
    attempts: int
    frames_done: int
    error: str = ""
    steps_done: int = 0
    most_frames: int = 0  # that it ever had in this farm; going back to a checkpoint takes some
    priority: int = 0
    trying: Try | None = None  # while it is RUNNING, or stops because it was paused or cancelled
    wanted: JobFile | None = None  # as a sheet has it now; taken up when nobody works on its files

    @property
    def name(self) -> str:
        return self.paths.name

    @property
    def is_held(self) -> bool:
        """Whether it may not start yet: its trainer still stops, or it waits for new settings."""
        return self.trying is not None or self.wanted is not None

    @property
    def slot(self) -> str:
        return self.trying.lease.label if self.trying else ""

    @property
    def speed(self) -> float:
        """Steps per second; 0 while it is not known."""
        known = self.trying and self.trying.progress
        return known.steps_per_second if known else 0.0

    @property
    def view(self) -> JobView:
        """The job as a progress bar shows it."""
        plan = self.file.plan
        steps = None
        if plan.timing.has_silent_steps:
            done = plan.steps_total if self.has_all_frames else self.steps_done
            steps = StepsView(done, plan.steps_total, self.speed)
        return JobView(
            name=self.name,
            state=self.state,
            slot=self.slot,
            frames_done=self.frames_done,
            frames_total=plan.frames_total,
            frames_per_second=self.speed * plan.timing.frames_per_step,
            steps=steps,
        )

    @property
    def checkpoint(self) -> CheckpointName | None:
        """The newest checkpoint on disk, or None."""
        return next(reversed(self.paths.checkpoint_names()), None)

    @property
    def has_all_frames(self) -> bool:
        return self.frames_done == self.file.frames_total

    @property
    def is_covered(self) -> bool:
        """Whether all frames are final: covered by a checkpoint, or the film is done."""
        total = self.file.frames_total
        by_checkpoint = self.checkpoint is not None and self.checkpoint.frame >= total
        return by_checkpoint or self.paths.manifest.exists()

    @property
    def is_trained(self) -> bool:
        """Whether its network has nothing left to do: no frame to make, nothing else to draw."""
        return self.has_all_frames and self.is_covered and not still_to_draw(self.paths, self.file)

    @property
    def row(self) -> JobRow:
        total = self.file.frames_total
        facts = (self.frames_done, total, self.attempts, self.slot, self.error, self.priority)
        return JobRow(self.name, self.state, *facts)


def adopted(workspace: Workspace, file: JobFile, row: JobRow) -> ActiveJob:
    """The job of a submission, as the store has it."""
    paths, tries = workspace.job(row.name), Tries(file.spec.retries)
    done = row.frames_done, row.error, steps_made(paths, file.plan, row.frames_done)
    return ActiveJob(file, paths, tries, row.state, row.attempts, *done, priority=row.priority)

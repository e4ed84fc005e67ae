"""A training without processes and frameworks: what it runs on, and how to look at what it made."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from jobs.families.feed import PICTURES
from jobs.workspace.files import listing
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths
from multitrain.datasets.decoded.folders import Fingerprint
from multitrain.engine.session import Block, State
from multitrain.trainer.training import Training
from render.spool.room import Room

FRAME_BYTES = 8 * 2 * 3
FINGERPRINT = Fingerprint(count=400, width=4, height=2, digest="0123abcd")


class FakeSession:
    """Frame f is filled with the value f; from `broken_at` on, losses are NaN for some detours."""

    def __init__(self, job: JobFile) -> None:
        self.step = 0
        self.detours = 0
        self.runs: list[int] = []  # the steps of each block
        self.broken_at: int | None = None
        self.mended_by = 10**9  # detours after which losses are finite again
        self.weights_broken_at: int | None = None
        self.before_run: Callable[[], None] = lambda: None
        self._job = job

    def run(self, steps: int) -> Block:
        self.before_run()
        self.runs.append(steps)
        timing = self._job.plan.timing
        numbers = np.arange(timing.frames_by(self.step), timing.frames_by(self.step + steps))
        self.step += steps
        broken = self.broken_at is not None and self.step >= self.broken_at
        loss = np.nan if broken and self.detours < self.mended_by else 1.5
        size = (len(numbers), self._job.plan.frame_height, self._job.plan.frame_width, 3)
        frames = np.broadcast_to(numbers.astype(np.uint8)[:, None, None, None], size).copy()
        return Block(frames, {"d": 0.5, "g": float(loss)})

    def follow(self, measured: object) -> None:
        self.followed = measured

    def state(self) -> State:
        broken = self.weights_broken_at is not None and self.step >= self.weights_broken_at
        weight = np.nan if broken and self.detours < self.mended_by else self.step
        return {
            "step": np.array(self.step),
            "detours": np.array(self.detours),
            "net/weight": np.array([weight], np.float32),
        }

    def restore(self, state: State) -> None:
        self.step, self.detours = int(state["step"]), int(state["detours"])
        assert state["net/weight"][0] == self.step


@dataclass
class Bench:
    """A job, what it runs on and a clock that the test moves."""

    job: JobFile
    paths: JobPaths
    now: float = 0.0

    def __post_init__(self) -> None:
        self.stop = threading.Event()
        self.session = FakeSession(self.job)

    def training(self, room: Room | None = None, pictures: Fingerprint = FINGERPRINT) -> Training:
        """The next start of the job, with a session of its own; `run` is up to the test."""
        self.session = FakeSession(self.job)
        room = room or Room(self.paths)
        return Training(
            self.job.spec, self.paths, self.job.plan, self._open, {PICTURES: pictures}, room,
            self.stop, clock=lambda: self.now,
        )  # fmt: skip

    def _open(self) -> FakeSession:
        """At step 0; what the test has set stays."""
        self.session.step = self.session.detours = 0
        return self.session

    def spooled_numbers(self) -> list[int]:
        """The number that each frame in the spool shows, batches in order."""
        names = sorted(listing(self.paths.spool))
        data = b"".join((self.paths.spool / name).read_bytes() for name in names)
        frames = np.frombuffer(data, np.uint8).reshape(-1, FRAME_BYTES)
        assert (frames == frames[:, :1]).all()
        return frames[:, 0].tolist()

    def told_steps(self) -> list[int]:
        """The steps that `progress.jsonl` tells of, line by line."""
        lines = self.paths.progress.read_text().splitlines()
        return [json.loads(line)["step"] for line in lines]

    def checkpoint_steps(self) -> list[int]:
        return [name.step for name in self.paths.checkpoint_names()]

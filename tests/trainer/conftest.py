"""Jobs and sessions for the training loop, without any framework."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from jobs.jobfile import JobFile
from jobs.paths import JobPaths, Workspace
from jobs.spec import JobSpec
from multitrain.engine.session import Block, State

WIDTH, HEIGHT = 4, 2


@pytest.fixture
def make_job() -> Callable[..., JobFile]:
    """`make_job(frames, **columns)`: a job of so many frames of 8 x 2 pixels, two per step."""

    def make(frames: int = 20, **columns: object) -> JobFile:
        cells = {"name": "job", "dataset": "d", "grid_width": 2, "grid_height": 1, "fps": 10}
        cells |= {"video_length": frames / 600, "family": "testcard"}
        spec = JobSpec.model_validate({**cells, **columns})
        assert spec.frames_total == frames
        return JobFile(spec=spec, image_width=WIDTH, image_height=HEIGHT)

    return make


@pytest.fixture
def paths(workspace: Workspace) -> JobPaths:
    return workspace.job("job")


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
        per_step = self._job.spec.frames_per_step
        numbers = np.arange(self.step * per_step, (self.step + steps) * per_step)
        self.step += steps
        broken = self.broken_at is not None and self.step >= self.broken_at
        loss = np.nan if broken and self.detours < self.mended_by else 1.5
        size = (len(numbers), self._job.plan.frame_height, self._job.plan.frame_width, 3)
        frames = np.broadcast_to(numbers.astype(np.uint8)[:, None, None, None], size).copy()
        return Block(frames, {"d": 0.5, "g": float(loss)})

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


@pytest.fixture
def make_session() -> Callable[[JobFile], FakeSession]:
    return FakeSession

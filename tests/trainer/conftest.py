"""Jobs for the training loop without any framework, and trainers as the farm starts them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths
from multitrain.trainer import pacing
from tests.trainer.trainer_child import TrainerChild
from tests.trainer.training_bench import Bench

WIDTH, HEIGHT = 4, 2


@pytest.fixture
def make_job() -> Callable[..., JobFile]:
    """`make_job(frames, **columns)`: a job of so many frames of 8 x 2 pixels, two per step."""

    def make(frames: int = 20, **columns: object) -> JobFile:
        cells = {"name": "job", "dataset": "d", "grid_width": 2, "grid_height": 1, "fps": 10}
        cells |= {"video_length": frames / 600, "family": "testcard"}
        spec = JobSpec.model_validate({**cells, **columns})
        job = JobFile(spec=spec, image_width=WIDTH, image_height=HEIGHT)
        assert job.frames_total == frames
        return job

    return make


@pytest.fixture
def bench(make_job: Callable[..., JobFile], paths: JobPaths) -> Callable[..., Bench]:
    """`bench(frames, **columns)`: a job of `make_job` on which trainings can be started."""
    return lambda frames=20, **columns: Bench(make_job(frames, **columns), paths)


@pytest.fixture
def _one_step_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "BLOCK_SECONDS", 0.0)


@pytest.fixture
def submit(paths: JobPaths, make_pictures: Callable[..., list[Path]]) -> Callable[..., JobFile]:
    """Writes `job.yaml` and pictures of a tiny DCGAN: `submit(frames, **columns)`."""

    def make(frames: int, **columns: object) -> JobFile:
        width, height = 16, 12
        make_pictures(paths.workspace.dataset("d"), count=5, size=(width, height))
        cells = {"name": "job", "dataset": "d", "grid_width": 2, "grid_height": 2, "fps": 10}
        cells |= {"video_length": frames / 600, "nbr_of_layers_g": 3, "nbr_of_layers_d": 3}
        cells |= {"gf_dim": 2, "df_dim": 2, "z_dim": 4, "learning_rate_g": 0.01}
        spec = JobSpec.model_validate({**cells, **columns})
        job = JobFile(spec=spec, image_width=width, image_height=height)
        paths.run.mkdir(parents=True, exist_ok=True)
        job.save(paths)
        return job

    return make


@pytest.fixture
def start(paths: JobPaths) -> Iterator[Callable[..., TrainerChild]]:
    """`start(*options, **popen)`: a trainer of the job as a child process; killed at the end."""
    started: list[TrainerChild] = []

    def make(*options: str, **popen: object) -> TrainerChild:
        started.append(TrainerChild(paths, *options, **popen))
        return started[-1]

    yield make
    for trainer in started:
        trainer.close()

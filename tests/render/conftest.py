"""Jobs of tiny frames in short batches."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jobs.plans import plan as plan_module
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths, Workspace
from render.worker.worker import RenderWorker
from tests.inline import Inline
from tests.render.workbench import NoCourier

MakeJob = Callable[..., tuple[JobPaths, JobFile]]


@pytest.fixture(autouse=True)
def short_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most ten frames each, so that few frames make many batches."""
    monkeypatch.setattr(plan_module, "BATCH_FRAMES", 10)


@pytest.fixture
def make_job(workspace: Workspace) -> MakeJob:
    """`make_job("name", frames=100, cut=40, size=(32, 32), **columns)`: a saved job, 60 fps.

    One grid cell of `size` pixels a picture, one frame per step, x264's fastest preset.
    """

    def make(
        name: str = "job", frames: int = 100, cut: int | None = None, size=(32, 32), **columns
    ) -> tuple[JobPaths, JobFile]:
        settings = {
            "dataset": "demo",
            "grid_width": 1,
            "grid_height": 1,
            "video_length": frames / 3600,
            "auto_render_period": cut / 60 if cut else None,
            "snapshot": "step",
            "preset": "ultrafast",
        }
        spec = JobSpec(name=name, **(settings | columns))
        job = JobFile(spec=spec, image_width=size[0], image_height=size[1])
        paths = workspace.job(name)
        job.save(paths)
        assert job.plan.frames_total == frames
        return paths, job

    return make


@pytest.fixture
def courier():
    return NoCourier()


@pytest.fixture
def start_worker(workspace, courier):
    """`start_worker(*names, executor=Inline(), threads=100)`"""

    def start(*names, executor=None, threads=100):
        worker = RenderWorker(workspace, executor or Inline(), threads, courier)
        for name in names:
            worker.take_up(name)
        return worker

    return start

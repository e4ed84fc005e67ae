"""A trainer on a GPU that its TensorFlow does not see: it fails instead of training on cores."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from jobs.errors import ExitCode
from jobs.workspace.failures import Kind
from jobs.workspace.paths import Workspace
from multitrain.farm.launching import TrainerSettings, open_lifeline
from multitrain.farm.progress_reader import training_failure
from multitrain.slots.gpus import GpuPool
from tests.farm.simulation import FakeDriver, make_gpus, make_job

SECONDS = 120


def test_a_gpu_that_tensorflow_does_not_see(
    workspace: Workspace, make_pictures: Callable[..., list[Path]], tmp_path: Path
) -> None:
    job, paths = make_job("job"), workspace.job("job")
    make_pictures(workspace.dataset("demo"), size=(job.image_width, job.image_height))
    paths.run.mkdir(parents=True)
    job.save(paths)
    driver = FakeDriver(make_gpus(1))  # no machine has a GPU of this UUID
    pool = GpuPool(driver, driver.gpus(), tmp_path / "leases")
    lease = pool.acquire(pool.free(0))
    assert lease is not None
    launch = TrainerSettings(10**9, 0, open_lifeline()).launch(job, paths, lease)

    ended = subprocess.run(
        launch.command,
        env={**os.environ, **launch.environment},
        pass_fds=launch.descriptors,
        stderr=subprocess.PIPE,
        text=True,
        timeout=SECONDS,
    )

    assert ended.returncode == ExitCode.FAILED, ended.stderr
    failure = training_failure(paths, ended.returncode)
    assert failure.kind == Kind.DEVICE
    assert "none of this job's GPUs (gpu 0)" in failure.reason
    assert "[cuda]" in failure.reason
    assert not paths.progress.exists()

"""What `keep_checkpoints` takes is told before, by what it takes then."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths
from multitrain.commands.estimate import Estimate, kept_bytes


def test_it_is_about_what_the_files_take(
    tiny_job: Callable[..., JobFile],
    noise: Callable[..., object],
    paths: JobPaths,
) -> None:
    from multitrain.engine.feeds import only
    from multitrain.engine.session import SessionSettings
    from multitrain.families import open_session
    from multitrain.weights import checkpoints

    job = tiny_job(64, 48, gf_dim=32, df_dim=32, keep_checkpoints=100, fps=10)
    session = open_session(job, only(noise(job)), SessionSettings())
    for step in range(0, job.plan.steps_total + 1, 100):
        checkpoints.keep_weights(paths, step, "dcgan", session.state())

    taken = sum(paths.kept_weights(step).stat().st_size for step in paths.kept_steps())

    assert len(paths.kept_steps()) == 4
    assert kept_bytes(job) == pytest.approx(taken, rel=0.05)
    without = tiny_job(64, 48, gf_dim=32, df_dim=32, fps=10)
    assert kept_bytes(without) == 0
    assert Estimate.of(job).disk_bytes == Estimate.of(without).disk_bytes + kept_bytes(job)

"""The trainer with the other engine: a real process, a real network, a real kill."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable

import pytest

from jobs.errors import ExitCode
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths
from render.spool.spool import batches
from tests.trainer.trainer_child import TrainerChild


def spool(paths: JobPaths) -> bytes:
    return b"".join(paths.batch(batch).read_bytes() for batch in batches(paths))


@pytest.fixture(autouse=True)
def _on_jax(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")


def test_a_killed_job_goes_on_to_the_same_film(
    submit: Callable[..., JobFile], start: Callable[..., TrainerChild], paths: JobPaths
) -> None:
    job = submit(1000, auto_render_period=20, engine="jax")
    options = ("--deterministic", "--cores", "0")
    first = start(*options)
    first.wait_for("checkpoint at step 100,")
    first.child.send_signal(signal.SIGKILL)
    assert first.end() == -signal.SIGKILL

    second = start(*options)
    second.wait_for("going on at step")
    assert "beginning at step" not in second.log
    assert second.end() == ExitCode.DONE, second.log
    resumed = spool(paths)

    shutil.rmtree(paths.spool)
    shutil.rmtree(paths.checkpoints)
    assert start(*options).end() == ExitCode.DONE
    uninterrupted = spool(paths)
    assert len(uninterrupted) == 1000 * job.plan.frame_bytes
    assert len(set(uninterrupted)) > 50, "the pictures say nothing"
    assert resumed == uninterrupted

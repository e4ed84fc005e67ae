"""A job with a network that has learnt a little, its weights kept at some steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from jobs.families.feed import PICTURES
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import CheckpointName, JobPaths, Workspace
from multitrain.datasets.decoded.folders import Fingerprint
from multitrain.engine.feeds import only
from multitrain.engine.session import SessionSettings
from multitrain.families import open_session
from multitrain.weights import checkpoints
from multitrain.weights.checkpoints import Checkpoint

KEPT = (0, 4, 8)


@pytest.fixture
def paths(workspace: Workspace) -> JobPaths:
    return workspace.job("tiny")


@pytest.fixture
def learnt(
    tiny_job: Callable[..., JobFile], noise: Callable[..., np.ndarray], paths: JobPaths
) -> JobFile:
    """Trained for eight steps; a checkpoint at the last one."""
    job = tiny_job(learning_rate_g=0.03, fps=10, z_distribution="normal", keep_checkpoints=4)
    session = open_session(job, only(noise(job)), SessionSettings())
    for step in KEPT:
        if step:
            session.run(step - session.step)
        checkpoints.keep_weights(paths, step, "dcgan", session.state())
    name = CheckpointName(session.step, 2 * session.step)
    pictures = {PICTURES: Fingerprint(7, 12, 9, "")}
    kind = job.spec.family, job.spec.engine
    checkpoints.save(paths, Checkpoint(name, *kind, pictures, session.state()))
    job.save(paths)
    return job

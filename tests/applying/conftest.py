"""A job that makes pictures into pictures, with the weights of some steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths, Workspace
from multitrain.engine.model import Model
from tests.applying.weights import keep_weights


class Learnt(NamedTuple):
    """The job, and the model of its training with the weights of the last step."""

    job: JobFile
    model: Model


Learn = Callable[..., Learnt]


@pytest.fixture
def paths(workspace: Workspace) -> JobPaths:
    return workspace.job("tiny")


@pytest.fixture
def learn(tiny_job: Callable[..., JobFile], workspace: Workspace) -> Learn:
    """`learn(**columns)`: as if it had been trained on pictures of 45 x 36 pixels."""

    def learn(**columns: object) -> Learnt:
        given = {"name": "tiny", "gf_dim": 2, "df_dim": 2, "precision": "float32"}
        job = tiny_job(45, 36, **(given | columns))
        return Learnt(job, keep_weights(workspace, job))

    return learn

"""A job whose network can be taken away."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.portable.asked import Asked
from tests.applying.weights import keep_weights

Ask = Callable[..., Asked]
CYCLES = {"family": "cyclegan", "blocks": 1, "dataset": None, "inputs": "a", "targets": "b"}


@pytest.fixture
def ask(tiny_job: Callable[..., JobFile], workspace: Workspace) -> Ask:
    """`ask(form, network=None, step=None, size=None, **columns)`: its pictures are 45 x 36."""

    def ask(form: str, *more: object, **columns: object) -> Asked:
        job = tiny_job(45, 36, **{"name": "night", "precision": "float32", "jit": "off", **columns})
        return Asked(workspace, job, form, *more)  # type: ignore[arg-type]

    return ask


@pytest.fixture
def ask_learnt(ask: Ask, workspace: Workspace) -> Ask:
    """The same of a job with weights of some steps."""

    def ask_learnt(form: str, *more: object, **columns: object) -> Asked:
        asked = ask(form, *more, **columns)
        keep_weights(workspace, asked.job)
        return asked

    return ask_learnt

"""Networks as if they had been trained: random weights, other ones at each step."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.engine.model import Model
from multitrain.families import MODULES
from multitrain.weights import checkpoints

KEPT = (0, 2, 4)


def keep_weights(workspace: Workspace, job: JobFile, seed: int = 0) -> Model:
    """The job with weights of some steps is in the workspace; its model has those of the last."""
    model: Model = import_module(MODULES[job.spec.family]).describe(job)
    random, paths = np.random.default_rng(seed), workspace.job(job.spec.name)
    for step in KEPT:
        state = {}
        for name, network in model.networks.items():
            for each in network.variables:
                if np.issubdtype(each.dtype, np.floating):
                    each.assign(each + random.normal(0, 0.1, each.shape))
                    state[f"{name}/{each.path}"] = np.asarray(each)
        checkpoints.keep_weights(paths, step, job.spec.family, state)
    job.save(paths)
    return model


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    """Of uint8."""
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)

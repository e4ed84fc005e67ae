"""A training, new or as a trainer that was killed has left it."""

from __future__ import annotations

import threading

import numpy as np

from jobs.families.feed import PICTURES
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import CheckpointName, JobPaths, Workspace
from multitrain.datasets.decoded.folders import Fingerprint
from multitrain.farm.progress_reader import last_progress
from multitrain.trainer.curves import Curves
from multitrain.weights import checkpoints
from multitrain.weights.checkpoints import Checkpoint
from multitrain.weights.init_from import beginning
from render.spool.spool import batches
from tests.disk.small_job import BATCH_FRAMES, SIZE, make_job, run_trainer


def untrained(workspace: Workspace) -> None:
    make_job(workspace)


def to_keep_weights(workspace: Workspace) -> None:
    make_job(workspace, keep_checkpoints=2)


class StopAfter(threading.Event):
    """Set once so many frames are told of."""

    def __init__(self, paths: JobPaths, frames: int) -> None:
        super().__init__()
        self._paths, self._frames = paths, frames

    def is_set(self) -> bool:
        told = last_progress(self._paths.progress)
        return told is not None and told.frame >= self._frames


def killed_in_training(workspace: Workspace) -> None:
    """One batch cut by the checkpoint, one whole and one unfinished beyond it."""
    job = make_job(workspace, video_length=12 / 3600, auto_render_period=12 / 60)
    paths = workspace.job("job")
    run_trainer(workspace, StopAfter(paths, 4))
    [checkpoint] = paths.checkpoint_names()
    assert checkpoint.frame % BATCH_FRAMES, "it is to stand within a batch"
    assert checkpoint.frame < 8
    kept = paths.checkpoint(checkpoint).read_bytes()
    run_trainer(workspace, threading.Event())
    for later in paths.checkpoint_names():
        paths.checkpoint(later).unlink()
    paths.checkpoint(checkpoint).write_bytes(kept)
    last = batches(paths)[-1]
    half = paths.batch(last).read_bytes()[: job.plan.frame_bytes // 2]
    paths.batch(last).unlink()
    paths.batch(last).with_suffix(".rgb.part").write_bytes(half)


def train_to_the_end(workspace: Workspace) -> None:
    assert run_trainer(workspace, threading.Event())


def with_an_origin(workspace: Workspace) -> None:
    """A job, and another one that it starts from."""
    make_job(workspace, family="dcgan", init_from="origin")
    weights = {"generator/kernel": np.ones(5, np.float32)}
    pictures = {PICTURES: Fingerprint(2, *SIZE, "")}
    checkpoint = Checkpoint(CheckpointName(1, 2), "dcgan", "tensorflow", pictures, weights)
    checkpoints.save(workspace.job("origin"), checkpoint)


def keep_the_beginning(workspace: Workspace) -> None:
    paths = workspace.job("job")
    job = JobFile.load(paths)
    assert beginning(job.spec, paths)["generator/kernel"].sum() == 5


def draw_curves(workspace: Workspace) -> None:
    curves = Curves(workspace.job("job"))
    for step in range(3):
        curves.draw(1000.0, step, {"loss": 0.5})
    curves.close()

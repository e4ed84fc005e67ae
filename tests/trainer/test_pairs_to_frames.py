"""A family that is trained on pairs: from folders to frames of input, output and target."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from PIL import Image

from jobs.families.family import Family
from jobs.families.feed import Feed
from jobs.families.table import FAMILIES
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths
from multitrain.engine import open_training
from multitrain.engine.session import Session, SessionSettings
from multitrain.protocol.call import Call
from multitrain.trainer.process import train
from render.spool.spool import batches
from tests.engine.proving.feeding import Translation

WIDTH, HEIGHT, FACTOR = 12, 9, 3
FEEDS = (
    Feed("targets", ("photos",)),
    Feed("inputs", ("drawings",), pair_of="targets", factor=FACTOR),
)


@pytest.fixture
def job(paths: JobPaths, monkeypatch: pytest.MonkeyPatch) -> JobFile:
    """Its photos are grey from dark to light, its drawings their negatives."""
    pairs = Family(
        feeds=lambda _: FEEDS,
        cell=lambda _, width, height: Resolution(3 * width, height),
        networks=("generator",),
    )
    monkeypatch.setitem(FAMILIES, "dcgan", pairs)

    def open_pairs(job: JobFile, feeds: object, settings: SessionSettings) -> Session:
        return open_training(lambda: Translation().describe(job), job.spec, feeds, settings)

    monkeypatch.setattr("multitrain.families.open_session", open_pairs)
    for number in range(8):
        grey = 30 * number
        for folder, level, smaller in (("photos", grey, 1), ("drawings", 255 - grey, FACTOR)):
            path = paths.workspace.dataset(folder) / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (WIDTH // smaller, HEIGHT // smaller), (level,) * 3).save(path)
    cells = {"name": "job", "dataset": "photos", "grid_width": 2, "grid_height": 2, "fps": 10}
    spec = JobSpec.model_validate({**cells, "steps": 40, "precision": "float32"})
    job = JobFile(spec=spec, image_width=WIDTH, image_height=HEIGHT)
    paths.run.mkdir(parents=True, exist_ok=True)
    job.save(paths)
    return job


def test_frames_show_input_output_and_target(job: JobFile, paths: JobPaths) -> None:
    assert train(Call(paths.workspace.root, "job"), threading.Event())

    plan = job.plan
    assert plan.frame_width == 3 * WIDTH * job.spec.grid_width
    (batch,) = batches(paths)
    shape = len(batch), plan.frame_height, plan.frame_width, 3
    frames = np.fromfile(paths.batch(batch), np.uint8).reshape(shape).astype(int)
    inputs, outputs, targets = np.split(frames[:, :HEIGHT, : 3 * WIDTH], 3, axis=2)
    assert (inputs + targets == 255).all()
    apart = np.abs(outputs - targets).mean(axis=(1, 2, 3))
    assert apart[-1] < apart[0] / 4, "it learns to turn negatives into positives"

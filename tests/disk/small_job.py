"""A job whose film is four frames, trained and rendered in this process."""

from __future__ import annotations

import threading

import numpy as np
from PIL import Image

from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.protocol.call import Call
from multitrain.trainer.process import train
from render.delivery.courier import Courier
from render.worker.worker import RenderWorker
from tests.inline import Inline

FRAMES, CUT_FRAMES, BATCH_FRAMES = 4, 2, 2
SIZE = (16, 12)  # of a picture, in pixels


def a_job(name: str = "job", **columns: object) -> JobFile:
    """A test card of four frames in two timecuts, each of one batch."""
    settings = {
        "dataset": "tiny",
        "family": "testcard",
        "grid_width": 1,
        "grid_height": 1,
        "video_length": FRAMES / 3600,
        "auto_render_period": CUT_FRAMES / 60,
        "snapshot": "step",
        "preset": "ultrafast",
    }
    spec = JobSpec(name=name, **(settings | columns))
    return JobFile(spec=spec, image_width=SIZE[0], image_height=SIZE[1])


def make_job(workspace: Workspace, **columns: object) -> JobFile:
    """A saved job, and the pictures of its data set."""
    pictures = workspace.dataset("tiny")
    pictures.mkdir(parents=True)
    for number in range(2):
        pixels = np.full((SIZE[1], SIZE[0], 3), 100 * number, np.uint8)
        Image.fromarray(pixels).save(pictures / f"{number}.png")
    job = a_job(**columns)
    job.save(workspace.job(job.spec.name))
    return job


def run_trainer(workspace: Workspace, stop: threading.Event) -> bool:
    return train(Call(workspace.root, "job"), stop)


def run_worker(workspace: Workspace, *names: str) -> None:
    """Tick, a second apart, until all jobs have ended; given up after a minute of ticks."""
    worker = RenderWorker(workspace, Inline(), 100, Courier(workspace))
    for name in names:
        worker.take_up(name)
    for second in range(60):
        worker.tick(float(second))
        if worker.idle and not worker.looks_after:
            break


def trained(workspace: Workspace, **columns: object) -> None:
    make_job(workspace, **columns)
    assert run_trainer(workspace, threading.Event())

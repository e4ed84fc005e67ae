from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from jobs.errors import MultitrainError
from jobs.families.feed import PICTURES
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import CheckpointName, JobPaths
from multitrain.datasets.decoded.folders import Fingerprint
from multitrain.farm.progress_reader import last_progress
from multitrain.trainer.completion import make_complete
from multitrain.weights import checkpoints
from multitrain.weights.checkpoints import Checkpoint
from render.spool.spool import SpoolWriter

MakeJob = Callable[..., JobFile]


def spool_all(paths: JobPaths, job: JobFile) -> None:
    writer = SpoolWriter(paths, job.plan, 0)
    plan = job.plan
    writer.write(np.zeros((plan.frames_total, plan.frame_height, plan.frame_width, 3), np.uint8))
    writer.close()


def cover_all(paths: JobPaths, job: JobFile) -> None:
    name = CheckpointName(job.plan.steps_total, job.plan.frames_total)
    pictures = {PICTURES: Fingerprint(1, job.image_width, job.image_height, "")}
    state = {"step": np.array(name.step)}
    checkpoints.save(paths, Checkpoint(name, job.spec.family, "tensorflow", pictures, state))


def test_a_new_job_is_not_complete(paths: JobPaths, make_job: MakeJob) -> None:
    assert not make_complete(make_job(), paths)
    assert last_progress(paths.progress) is None


def test_frames_without_a_checkpoint_are_not_enough(paths: JobPaths, make_job: MakeJob) -> None:
    spool_all(paths, make_job())
    assert not make_complete(make_job(), paths)


def test_covered_frames_are(paths: JobPaths, make_job: MakeJob) -> None:
    job = make_job()
    spool_all(paths, job)
    cover_all(paths, job)
    assert make_complete(job, paths)
    progress = last_progress(paths.progress)
    assert progress is not None
    assert progress.frame == job.plan.frames_total


def test_lost_frames_are_told_instead_of_waited_for(paths: JobPaths, make_job: MakeJob) -> None:
    job = make_job()
    cover_all(paths, job)
    with pytest.raises(MultitrainError, match=r"were lost; run it again with --fresh job"):
        make_complete(job, paths)


def test_a_film_is_enough(paths: JobPaths, make_job: MakeJob) -> None:
    paths.run.mkdir(parents=True)
    paths.manifest.parent.mkdir(parents=True)
    paths.manifest.write_text("{}")
    assert make_complete(make_job(), paths)

"""What a trainer leaves rests on its job's settings: those are on the disk before."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths
from multitrain.protocol.call import Call
from multitrain.trainer.process import train
from tests.conftest import MakePictures


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc what is being flushed")
def test_the_job_file_is_flushed_before_anything_else(
    make_job: Callable[..., JobFile],
    paths: JobPaths,
    make_pictures: MakePictures,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def note(descriptor: int) -> None:
        flushed.append(Path(f"/proc/self/fd/{descriptor}").readlink())

    flushed: list[Path] = []
    job = make_job(4)
    job.save(paths)
    make_pictures(paths.workspace.dataset("d"), size=(job.image_width, job.image_height))
    monkeypatch.setattr(os, "fsync", note)
    assert train(Call(paths.workspace.root, "job"), threading.Event())
    own = [paths.job_file, paths.run, paths.workspace.runs]
    assert flushed[:3] == own
    assert {path.parent for path in flushed} >= {paths.checkpoints, paths.spool}

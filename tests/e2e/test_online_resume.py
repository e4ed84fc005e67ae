"""A stream that is sent while its networks learn, killed and gone on with: nobody can tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.errors import ExitCode
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths, Workspace
from tests.e2e.trainers import Trainers, spool
from tests.footage import numbered, write_video

FRAMES, WIDTH, HEIGHT = 120, 64, 48
FRAME_BYTES = 2 * WIDTH * HEIGHT * 3


def submit(workspace: Workspace, name: str) -> JobPaths:
    paths = workspace.job(name)
    cells = {"name": name, "family": "autoencoder", "stream": "film.mp4", "features": 4}
    cells |= {"grid_width": 1, "grid_height": 1, "steps": FRAMES, "fps": 10}
    cells |= {"fifo": 8, "online_batch": 2, "update_every": 10, "update_life": 100_000}
    cells |= {"show": "input+output", "auto_render_period": 4.0, "learning_rate_g": 0.01}
    job = JobFile(spec=JobSpec.model_validate(cells), image_width=WIDTH, image_height=HEIGHT)
    assert job.plan.frame_bytes == FRAME_BYTES
    job.save(paths)
    return paths


@pytest.mark.long
def test_kills_do_not_change_a_bit_of_film_or_stream(workspace: Workspace) -> None:
    folder: Path = workspace.data
    folder.mkdir(parents=True, exist_ok=True)
    write_video(folder / "film.mp4", (numbered(each, WIDTH, HEIGHT) for each in range(30)))
    whole, broken = submit(workspace, "whole"), submit(workspace, "broken")
    assert Trainers(whole, frame_bytes=FRAME_BYTES).train() == ExitCode.DONE, whole.log.read_text()

    trainers = Trainers(broken, frame_bytes=FRAME_BYTES)
    lost = [trainers.kill_at(frames) for frames in (20, 60, 100)]
    assert trainers.train() == ExitCode.DONE, broken.log.read_text()

    assert any(frames > 0 for frames in lost), "no kill cost anything"
    assert len(spool(whole)) == FRAMES * FRAME_BYTES
    assert spool(broken) == spool(whole)
    # Each names its own job in its header.
    sent = [paths.stream.read_bytes().partition(b"}}")[2] for paths in (whole, broken)]
    assert len(sent[0]) > 10_000
    assert sent[0] == sent[1]

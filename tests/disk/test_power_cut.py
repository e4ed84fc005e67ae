"""What has a name is on the disk: by the order of flushes, renames and deletions."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from jobs.workspace.files import part_of
from jobs.workspace.paths import Workspace
from render.films.films import finish_job, join_film, publish_timecut
from render.films.segments import encode_batch, write_images
from render.spool.spool import SpoolWriter
from tests.disk.power_cut import PowerCut
from tests.disk.scenes import SCENES, Scene
from tests.disk.small_job import a_job, trained

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc what is being flushed")


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
@pytest.mark.usefixtures("short_batches", "remembered_runs")
def test_a_power_cut_costs_nothing(scene: Scene, tmp_path: Path) -> None:
    scene.prepare(Workspace(tmp_path))
    with PowerCut(tmp_path) as power:
        scene.play(Workspace(tmp_path))
    assert power.wrong == []


@pytest.mark.usefixtures("short_batches", "remembered_runs")
def test_whatever_is_made_is_on_the_disk_at_once(tmp_path: Path) -> None:
    """And not only once something else has been made in the same folder."""
    workspace = Workspace(tmp_path)
    columns = {"grid_width": 2, "render_res": "16x12", "delete_images_after_render": False}
    trained(workspace, **columns)
    paths, job = workspace.job("job"), a_job(**columns)
    made = list(job.plan.batches())
    steps = [partial(encode_batch, paths, job, batch) for batch in made]
    steps += [partial(write_images, paths, job, batch) for batch in made]
    steps += [partial(publish_timecut, paths, job, n + 1, made[n : n + 1]) for n in (0, 1)]
    steps += [partial(join_film, paths, job), partial(finish_job, paths, job)]
    for step in steps:
        with PowerCut(workspace.root) as power:
            step()
        assert power.wrong == []
    assert paths.manifest.exists()


def test_frames_are_on_the_disk_before_a_checkpoint_counts_them(workspace: Workspace) -> None:
    plan = a_job(video_length=60 / 3600, auto_render_period=None).plan
    paths = workspace.job("job")
    frame = np.zeros((1, plan.frame_height, plan.frame_width, 3), np.uint8)
    with PowerCut(workspace.root) as power:
        writer = SpoolWriter(paths, plan, 0)
        part = part_of(paths.batch(plan.batch_containing(0)))
        for _ in range(3):
            writer.write(frame)
            assert not power.outlived_by(part)
            writer.flush()
            assert power.outlived_by(part)
        assert power.folders_flushed == [paths.spool], "once is enough"
        writer.close()

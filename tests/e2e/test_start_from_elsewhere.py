"""Jobs whose networks start from those of others: their films go on where the others ended."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.errors import ExitCode
from jobs.workspace.paths import JobPaths, Workspace
from tests.e2e.farmhouse import Farmhouse, order
from tests.e2e.trainers import FRAME_BYTES, SIZE, Trainers, save_job, spool

MakePictures = Callable[..., list[Path]]

FRAMES = 1200  # in one timecut: a checkpoint comes at the end, or after minutes
KILLED_AT = 300


@pytest.fixture
def origin(workspace: Workspace, make_pictures: MakePictures) -> JobPaths:
    """A job that is trained."""
    make_pictures(workspace.dataset("photos"), count=5, size=SIZE)
    paths = workspace.job("origin")
    save_job(paths, frames=60)
    assert Trainers(paths).train() == ExitCode.DONE, paths.log.read_text()
    return paths


def frame(paths: JobPaths, number: int) -> np.ndarray:
    return np.frombuffer(spool(paths), np.uint8).reshape(-1, FRAME_BYTES)[number]


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """The mean over all values, of which there are 256."""
    return float(np.abs(one.astype(int) - other).mean())


@pytest.mark.long
def test_a_kill_before_the_first_checkpoint_changes_nothing(origin: JobPaths) -> None:
    whole, broken = (origin.workspace.job(name) for name in ("whole", "broken"))
    for paths in (whole, broken):
        save_job(paths, FRAMES, init_from="origin")
    assert Trainers(whole).train() == ExitCode.DONE, whole.log.read_text()
    # The first step moves batch normalisation's statistics a little before it draws its frame.
    assert distance(frame(whole, 0), frame(origin, -1)) < 2
    assert distance(frame(origin, 0), frame(origin, -1)) > 5

    trainers = Trainers(broken)
    assert trainers.kill_at(KILLED_AT) >= KILLED_AT
    assert not broken.checkpoint_names()
    shutil.rmtree(origin.run)  # what it began with is its own
    assert trainers.train() == ExitCode.DONE, broken.log.read_text()

    assert spool(broken) == spool(whole)


@pytest.mark.long
def test_the_other_engine_goes_on_with_all_of_the_networks(origin: JobPaths) -> None:
    paths = origin.workspace.job("elsewhere")
    save_job(paths, 20, init_from="origin", engine="jax")
    assert Trainers(paths).train() == ExitCode.DONE, paths.log.read_text()
    assert "its networks start from origin" in paths.log.read_text()
    assert "at random" not in paths.log.read_text()


@pytest.mark.long
def test_networks_that_do_not_fit_fail_the_job_or_give_what_they_can(origin: JobPaths) -> None:
    paths = origin.workspace.job("wider")
    save_job(paths, 40, init_from="origin", gf_dim=6)
    assert Trainers(paths).train() == ExitCode.FAILED
    told = paths.training_failure.read_text()
    assert "generator/" in told
    assert "init_fitting" in told
    assert "origin_unfit" in told

    save_job(paths, 40, init_from="origin", gf_dim=6, init_fitting=True)
    assert Trainers(paths).train() == ExitCode.DONE, paths.log.read_text()
    assert "these, which start at random: generator/" in paths.log.read_text()


HEADER = (
    "name,dataset,grid_width,grid_height,gf_dim,df_dim,nbr_of_layers_g,nbr_of_layers_d,z_dim,"
    "batch_norm_g,learning_rate_g,video_length,delete_images_after_render,init_from,interpolate_a,"
    "interpolate_b,interpolate_alpha"
)
TINY = "photos,2,1,4,4,3,3,4,False,0.02,0.005,False"


def test_a_night_of_jobs_that_stand_on_each_other(
    farmhouse: Farmhouse, make_pictures: MakePictures
) -> None:
    make_pictures(farmhouse.workspace.dataset("photos"), count=4, size=(16, 16))
    farmhouse.write_sheet(
        HEADER,
        f"a,{TINY},,,,",
        f"b,{TINY},a,,,",
        f"c,{TINY},,a,b,1",
        f"half,{TINY},,a,b,0.5",
    )
    code, said = farmhouse.run("--gpus", "cpu", "--slots", "2", "--deterministic")
    assert code == 0, said
    places = order(said, "a: done", "b: started", "b: done", "c: started")
    assert list(places) == sorted(places), said

    def kept(job: str, number: int) -> np.ndarray:
        with Image.open(farmhouse.workspace.job(job).image(number)) as picture:
            return np.asarray(picture).copy()

    last = 17
    np.testing.assert_array_equal(kept("b", 0), kept("a", last))
    np.testing.assert_array_equal(kept("c", 0), kept("b", last))
    assert distance(kept("a", last), kept("b", last)) > 5, "or all this says nothing"
    assert all(distance(kept("half", 0), kept(job, last)) > 1 for job in "ab")
    for job in ("a", "b", "c", "half"):
        paths = farmhouse.workspace.job(job)
        assert len(paths.checkpoint_names()) == 1
        assert not paths.beginning.exists()

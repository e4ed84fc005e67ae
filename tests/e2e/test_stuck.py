"""A trainer that stops making frames: ended, started again, and the film has every frame."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil

from tests.e2e.farmhouse import Farmhouse, wait_for

MakePictures = Callable[..., list[Path]]


def trainer_of(farm_pid: int) -> psutil.Process | None:
    for child in psutil.Process(farm_pid).children(recursive=True):
        if "multitrain.trainer.process" in child.cmdline():
            return child
    return None


def test_a_frozen_trainer_is_ended_and_its_job_goes_on(
    farmhouse: Farmhouse, make_pictures: MakePictures
) -> None:
    make_pictures(farmhouse.workspace.dataset("tiny"), count=16, size=(48, 32))
    farmhouse.write_sheet(
        "name,dataset,family,grid_width,grid_height,video_length,auto_render_period,preset,stall_minutes",
        "a,tiny,testcard,4,4,0.5,2,slower,0.05",
    )
    farm = farmhouse.start("--gpus", "cpu", "--spool-gb", "0.1")
    paths = farmhouse.workspace.job("a")
    wait_for(paths.timecut(1).exists, farm)
    trainer = trainer_of(farm.pid)
    assert trainer is not None, "it waits for the encoder, so it is at work"
    trainer.suspend()
    said, _ = farm.communicate(timeout=120)
    assert farm.returncode == 0, said
    assert "no progress for 0.05 minutes; it was ended (stall_minutes)" in said
    assert said.count("a: started") == 2
    farmhouse.check_job("a")

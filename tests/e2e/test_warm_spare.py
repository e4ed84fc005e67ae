"""A farm with a warm spare trainer: the job that it takes is one like any other."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.e2e.farmhouse import Farmhouse, frames_of, wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc who writes where")

HEADER = (
    "name,dataset,grid_width,grid_height,gf_dim,df_dim,nbr_of_layers_g,nbr_of_layers_d,video_length"
)
FRAMES = 3600
JOBS = {name: f"{name},photos,2,1,4,4,3,3,{FRAMES / 3600}" for name in "abcdef"}


def spares_of(farm: subprocess.Popen[str]) -> dict[int, str]:
    """The spare trainers, called or not: pid and where they write to."""
    found = {}
    for child in psutil.Process(farm.pid).children():
        with suppress(psutil.Error, OSError):
            if "--spare" in child.cmdline():
                found[child.pid] = str(Path(f"/proc/{child.pid}/fd/1").readlink())
    return found


@pytest.fixture
def farm(farmhouse: Farmhouse, make_pictures: Callable[..., list[Path]]) -> subprocess.Popen[str]:
    """One that trains the first of several jobs on one slot, and has a spare."""
    make_pictures(farmhouse.workspace.dataset("photos"), count=4, size=(16, 16))
    farmhouse.write_sheet(HEADER, *JOBS.values())
    farm = farmhouse.start("--gpus", "cpu", "--slots", "1")
    wait_for(lambda: spares_of(farm), farm)
    assert set(spares_of(farm).values()) == {"/dev/null"}
    return farm


def test_a_job_in_a_spare_outlives_its_farm_and_goes_on(
    farmhouse: Farmhouse, farm: subprocess.Popen[str]
) -> None:
    # The one after the next at the latest: a spare is warm by the time a cold trainer would be.
    wait_for(lambda: set(spares_of(farm).values()) - {"/dev/null"}, farm)
    pid, log = next(each for each in spares_of(farm).items() if each[1] != "/dev/null")
    trainer, paths = psutil.Process(pid), farmhouse.workspace.job(Path(log).parent.name)
    assert paths.name != "a", "the first one started cold"
    wait_for(paths.progress.exists, farm)

    farm.kill()

    psutil.wait_procs([trainer], timeout=60)
    assert "its networks are built already" in paths.log.read_text()
    assert "the farm is gone" in paths.log.read_text()
    farmhouse.write_sheet(HEADER, JOBS[paths.name])
    code, said = farmhouse.run("--gpus", "cpu", "--slots", "1")
    assert code == 0, said
    assert f"{paths.name}: started on cpu 0, goes on from frame" in said
    assert len(frames_of(paths.film())) == FRAMES


@pytest.mark.long
def test_no_spare_outlives_a_drain(farm: subprocess.Popen[str]) -> None:
    children = psutil.Process(farm.pid).children(recursive=True)
    assert spares_of(farm).keys() <= {child.pid for child in children}
    farm.send_signal(signal.SIGINT)
    assert farm.wait(timeout=60) == 75
    assert not [child for child in children if child.is_running()]

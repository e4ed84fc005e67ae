"""SIGKILL while a film is being joined: the timecuts stay as they are, the next call joins it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from benchmarks.films import digest_of_file
from jobs.workspace.files import part_of
from tests.e2e.farmhouse import Farmhouse, wait_for

MakePictures = Callable[..., list[Path]]

SHEET = (
    "name,dataset,family,grid_width,grid_height,fps,video_length,auto_render_period",
    "a,tiny,testcard,2,2,30,0.1,1",
)
CUTS = 6

# Runs at the start of every Python process. The first one that is to join the film gets stuck:
# half-way, or when all but the verification is done.
STUCK = """\
import sys, time
from pathlib import Path
from multitrain.startup import environment

environment.KEPT["PYTHONPATH"] = "the worker runs this file, too"

if {{"render.worker.worker", "merge"}}.intersection(sys.orig_argv):
    from render.files import merge

    copy_packets, flag = merge.copy_packets, Path({flag!r})

    def copy_and_get_stuck(sources, output, *rest):
        copy_packets(sources, output, *rest)
        if output.name == "a.mp4.part" and not flag.exists():
            {then}
            flag.touch()
            time.sleep(600)

    merge.copy_packets = copy_and_get_stuck
"""


@pytest.fixture(params=["half-way", pytest.param("not verified", marks=pytest.mark.long)])
def stuck(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], bool]:
    """Whether a process is stuck in the film, of all that are started from now on."""
    flag, folder = tmp_path / "stuck", tmp_path / "site"
    folder.mkdir()
    then = 'output.write_bytes(b"half")' if request.param == "half-way" else "pass"
    (folder / "sitecustomize.py").write_text(STUCK.format(flag=str(flag), then=then))
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
    return flag.exists


def timecuts(farmhouse: Farmhouse) -> dict[str, str]:
    """Those that are published, each with a digest of its bytes."""
    cuts = sorted(farmhouse.workspace.renders.glob("a_timecut*.mp4"))
    return {cut.name: digest_of_file(cut) for cut in cuts}


def left_behind(farmhouse: Farmhouse) -> list[Path]:
    """Temporary files, lists for ffmpeg among them."""
    return [*farmhouse.workspace.root.rglob("*.part"), *farmhouse.workspace.root.rglob("*.ff*")]


def test_a_farm_and_its_worker_killed_while_the_film_is_joined(
    farmhouse: Farmhouse, make_pictures: MakePictures, stuck: Callable[[], bool]
) -> None:
    make_pictures(farmhouse.workspace.dataset("tiny"), count=4, size=(48, 32))
    farmhouse.write_sheet(*SHEET)
    paths = farmhouse.workspace.job("a")
    farm = farmhouse.start("--gpus", "cpu")
    wait_for(stuck, farm)
    before = timecuts(farmhouse)
    assert len(before) == CUTS
    assert part_of(paths.film()).exists()
    children = psutil.Process(farm.pid).children()
    [worker] = [child for child in children if "render.worker.worker" in child.cmdline()]
    farm.kill()
    os.killpg(worker.pid, signal.SIGKILL)
    farm.communicate()
    assert not paths.film().exists()
    assert timecuts(farmhouse) == before

    code, said = farmhouse.run("--gpus", "cpu")
    assert code == 0, said
    farmhouse.check_job("a")  # the film and every timecut, decoded
    assert timecuts(farmhouse) == before
    assert left_behind(farmhouse) == []


def start_merge(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "multitrain", "merge", str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)


def test_merge_killed_on_the_way(
    farmhouse: Farmhouse,
    make_pictures: MakePictures,
    stuck: Callable[[], bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_pictures(farmhouse.workspace.dataset("tiny"), count=4, size=(48, 32))
    farmhouse.write_sheet(*SHEET)
    with monkeypatch.context() as healthy:
        healthy.delenv("PYTHONPATH")
        assert farmhouse.run("--gpus", "cpu")[0] == 0
    film = farmhouse.workspace.job("a").film()
    film.unlink()
    before = timecuts(farmhouse)

    merge = start_merge(film.parent)
    wait_for(stuck, merge)
    os.killpg(merge.pid, signal.SIGKILL)
    merge.communicate()
    assert not film.exists()
    assert timecuts(farmhouse) == before

    again = start_merge(film.parent)
    again.communicate()
    assert again.returncode == 0
    farmhouse.check_job("a")
    assert timecuts(farmhouse) == before
    assert left_behind(farmhouse) == []

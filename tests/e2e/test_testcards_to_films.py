"""From a sheet to films with real processes, on a family that draws the frame's number."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from benchmarks.processes import is_alive
from jobs.workspace.jobfile import JobFile
from multitrain.families.testcard.session import read_number
from tests.e2e.farmhouse import Farmhouse, order, wait_for

MakePictures = Callable[..., list[Path]]

HEADER = "name,dataset,family,grid_width,grid_height,fps,video_length,auto_render_period,render_res"

# Its trainer waits for a slow encoder: long enough to be met at work, whatever the machine.
LONG_SHEET = (f"{HEADER},preset", "a,tiny,testcard,4,4,60,0.5,2,,slower")
LONG_OPTIONS = ("--gpus", "cpu", "--spool-gb", "0.1")


def test_every_frame_of_every_film_is_there(
    farmhouse: Farmhouse, make_pictures: MakePictures
) -> None:
    """Three jobs on two slots: odd sizes, boxes, cuts of odd lengths; previews while it trains."""
    make_pictures(farmhouse.workspace.dataset("odd"), count=21, size=(55, 31), suffix=".png")
    make_pictures(farmhouse.workspace.dataset("even"), count=8, size=(48, 32), suffix=".JPG")
    farmhouse.write_sheet(
        HEADER,
        "long,odd,testcard,7,3,60,0.5,2.05,",
        "boxes,even,testcard,4,2,30,0.1,1.5,96x32",
        "last,even,testcard,1,1,25,0.05,,",
    )
    # So little spool makes the longest one wait for the encoder: it still trains when others end.
    code, said = farmhouse.run("--gpus", "cpu", "--slots", "2", "--spool-gb", "0.1")
    assert code == 0, said
    for name in ("long", "boxes", "last"):
        farmhouse.check_job(name)
    # The third starts when a slot frees, while the longest still trains and has published.
    order(said, "long: started", "boxes: started", "last: started")
    trained_long, trained_boxes, started_last, published_long = order(
        said, "long: trained", "boxes: trained", "last: started", "long_timecut0001.mp4"
    )
    assert trained_boxes < started_last < trained_long
    assert published_long < trained_long

    manifest = json.loads(farmhouse.workspace.job("boxes").manifest.read_text())
    assert manifest["frames"] == 180
    with Image.open(farmhouse.workspace.job("long").latest) as latest:
        assert latest.size == (385, 93)


def test_a_sheet_that_is_done_is_left_alone_and_fresh_starts_over(
    farmhouse: Farmhouse, make_pictures: MakePictures
) -> None:
    make_pictures(farmhouse.workspace.dataset("tiny"), count=4, size=(48, 32))
    farmhouse.write_sheet(HEADER, "a,tiny,testcard,1,1,30,0.05,,")
    assert farmhouse.run("--gpus", "cpu")[0] == 0
    film = farmhouse.workspace.job("a").film()
    made = film.stat().st_mtime_ns
    code, said = farmhouse.run("--gpus", "cpu")
    assert (code, film.stat().st_mtime_ns) == (0, made)
    assert "started" not in said

    farmhouse.write_sheet(HEADER, "a,tiny,testcard,2,1,30,0.1,,")
    code, said = farmhouse.run("--gpus", "cpu")
    assert code == 2
    assert "grid_width was 1, is now 2" in said
    assert film.stat().st_mtime_ns == made
    assert farmhouse.run("--gpus", "cpu", "--fresh")[0] == 2
    assert film.stat().st_mtime_ns == made
    assert farmhouse.run("--gpus", "cpu", "--fresh", "a")[0] == 0
    farmhouse.check_job("a")
    kept = farmhouse.workspace.earlier / "a-1" / film.name
    assert kept.stat().st_mtime_ns == made


def test_png_frames_instead_of_a_film_and_beside_it(
    farmhouse: Farmhouse, make_pictures: MakePictures
) -> None:
    make_pictures(farmhouse.workspace.dataset("tiny"), count=4, size=(48, 31))
    farmhouse.write_sheet(
        f"{HEADER},render_video,delete_images_after_render",
        "pictures,tiny,testcard,1,1,30,0.05,1,,False,",
        "both,tiny,testcard,1,1,30,0.05,1,,True,no",
    )
    code, said = farmhouse.run("--gpus", "cpu")
    assert code == 0, said
    for name in ("pictures", "both"):
        job, paths = farmhouse.jobs()[name], farmhouse.workspace.job(name)
        assert [number_of(job, paths.image(frame)) for frame in range(90)] == list(range(90))
        assert len(list(paths.frames.iterdir())) == 90
    farmhouse.check_job("both")
    assert not farmhouse.workspace.job("pictures").film().exists()


def number_of(job: JobFile, path: Path) -> int:
    with Image.open(path) as picture:
        return read_number(np.asarray(picture), job.image_width, job.image_height)


def test_a_job_that_crashes_at_every_try_leaves_the_others_alone(
    farmhouse: Farmhouse, make_pictures: MakePictures
) -> None:
    make_pictures(farmhouse.workspace.dataset("good"), count=4, size=(48, 32))
    for path in make_pictures(farmhouse.workspace.dataset("broken"), count=4, size=(48, 32)):
        path.write_bytes(path.read_bytes()[:200])  # the header is whole, the pictures are not
    farmhouse.write_sheet(
        f"{HEADER},retries",
        "bad,broken,testcard,1,1,30,0.05,,,1",
        "good,good,testcard,1,1,30,0.05,,,1",
    )
    code, said = farmhouse.run("--gpus", "cpu")
    assert code == 1, said
    assert said.count("bad: started") == 2
    farmhouse.check_job("good")
    log = str(farmhouse.workspace.job("bad").log)
    assert log in next(line for line in said.splitlines() if "bad: failed" in line)
    assert "Traceback" not in said


def test_a_workspace_that_is_not_there_yet_is_made(farmhouse: Farmhouse) -> None:
    farmhouse.write_sheet(HEADER, "a,demo,testcard,1,1,30,0.02,,")
    code, said = farmhouse.run("--gpus", "cpu", "--workspace", "new/night")
    assert code == 0, said
    assert (farmhouse.workspace.root / "new" / "night" / "renders" / "a.mp4").exists()


def start_long_job(
    farmhouse: Farmhouse, make_pictures: MakePictures, stdout: int = subprocess.PIPE
) -> subprocess.Popen[str]:
    """A farm that is in the middle of job `a`: its first timecut is out."""
    make_pictures(farmhouse.workspace.dataset("tiny"), count=16, size=(48, 32))
    farmhouse.write_sheet(*LONG_SHEET)
    farm = farmhouse.start(*LONG_OPTIONS, stdout=stdout)
    wait_for(farmhouse.workspace.job("a").timecut(1).exists, farm)
    return farm


def test_a_drained_farm_goes_on_and_the_film_has_every_frame(
    farmhouse: Farmhouse, make_pictures: MakePictures
) -> None:
    paths = farmhouse.workspace.job("a")
    farm = start_long_job(farmhouse, make_pictures)
    first_cut = paths.timecut(1).read_bytes()
    farm.send_signal(signal.SIGTERM)
    said, _ = farm.communicate(timeout=60)
    assert farm.returncode == 75, said
    assert "stopped at frame" in said
    assert not paths.film().exists()

    code, said = farmhouse.run(*LONG_OPTIONS)
    assert code == 0, said
    assert "goes on from frame" in said
    farmhouse.check_job("a")
    assert paths.timecut(1).read_bytes() == first_cut


def test_a_farm_that_is_killed_leaves_no_process_and_loses_nothing(
    farmhouse: Farmhouse, make_pictures: MakePictures
) -> None:
    farm = start_long_job(farmhouse, make_pictures)
    children = psutil.Process(farm.pid).children(recursive=True)
    farm.kill()
    farm.communicate()
    code, said = farmhouse.run(*LONG_OPTIONS)
    assert code == 0, said
    assert not any(map(is_alive, children))
    farmhouse.check_job("a")


@pytest.mark.parametrize(
    "is_removed",
    [
        pytest.param(False, id="its lock is there", marks=pytest.mark.long),
        pytest.param(True, id="removed"),
    ],
)
def test_a_second_farm_in_the_same_workspace_is_told_who_is_there(
    farmhouse: Farmhouse, make_pictures: MakePictures, is_removed: bool
) -> None:
    farm = start_long_job(farmhouse, make_pictures)
    if is_removed:
        farmhouse.workspace.lock.unlink()
    code, said = farmhouse.run(*LONG_OPTIONS)
    assert code == 2
    assert f"pid {farm.pid}" in said
    farm.send_signal(signal.SIGINT)
    assert farm.wait(timeout=30) == 75


def test_a_second_signal_ends_at_once(farmhouse: Farmhouse, make_pictures: MakePictures) -> None:
    farm = start_long_job(farmhouse, make_pictures)
    children = psutil.Process(farm.pid).children(recursive=True)
    trainer = next(child for child in children if "multitrain.trainer.process" in child.cmdline())
    trainer.suspend()  # it will never drain
    assert farm.stdout is not None
    farm.send_signal(signal.SIGTERM)
    while "draining" not in farm.stdout.readline():
        assert farm.poll() is None
    farm.send_signal(signal.SIGTERM)
    assert farm.wait(timeout=30) == 75
    assert not any(map(is_alive, children))
    assert farmhouse.run(*LONG_OPTIONS)[0] == 0
    farmhouse.check_job("a")


def read_all(screen: int) -> None:
    """Keep a terminal from filling up."""
    with suppress(OSError):
        while os.read(screen, 65536):
            pass


@pytest.fixture
def not_under_nohup() -> Iterator[None]:
    """As a terminal starts programs, also where these tests are under `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.long
@pytest.mark.usefixtures("not_under_nohup")
def test_a_terminal_that_closes_drains_the_farm(
    farmhouse: Farmhouse, make_pictures: MakePictures
) -> None:
    screen, terminal = os.openpty()
    reader = threading.Thread(target=read_all, args=(screen,), daemon=True)
    reader.start()
    farm = start_long_job(farmhouse, make_pictures, stdout=terminal)
    os.close(terminal)
    os.close(screen)
    farm.send_signal(signal.SIGHUP)
    assert farm.wait(timeout=60) == 75
    assert farmhouse.run(*LONG_OPTIONS)[0] == 0
    farmhouse.check_job("a")

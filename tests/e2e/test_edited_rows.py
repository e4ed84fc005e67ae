"""Rows that are edited when their film is there, or half there: shown by the numbers of frames."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.films import digest_of_file
from jobs.plans.plan import FrameRange
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths
from multitrain.families.testcard.session import read_number
from tests.e2e.farmhouse import Farmhouse, frames_of, wait_for

MakePictures = Callable[..., list[Path]]

HEADER = "name,dataset,family,grid_width,grid_height,fps,video_length,auto_render_period,format"
CPU = ("--gpus", "cpu")
CELL = (48, 32)


@pytest.fixture
def paths(farmhouse: Farmhouse, make_pictures: MakePictures) -> JobPaths:
    make_pictures(farmhouse.workspace.dataset("tiny"), count=4, size=CELL)
    return farmhouse.workspace.job("a")


def run(farmhouse: Farmhouse, cells: str, *options: str, header: str = HEADER) -> str:
    """What was said; `cells` are those of the job "a" from `fps` on."""
    farmhouse.write_sheet(header, f"a,tiny,testcard,1,1,{cells}")
    code, said = farmhouse.run(*CPU, *options)
    assert code == 0, said
    return said


def minutes(frames: int, fps: int = 30) -> str:
    return f"{frames / fps / 60:.6f}"


def job_of(paths: JobPaths) -> JobFile:
    job = JobFile.read(paths)
    assert job
    return job


def numbers(video: Path) -> list[int]:
    """The number that each of its frames shows."""
    pictures = [picture for _, picture in frames_of(video)]
    return [read_number(picture[: CELL[1], : CELL[0]], *CELL) for picture in pictures]


def videos(folder: Path) -> dict[str, str]:
    """Digests of its videos by their names."""
    return {path.name: digest_of_file(path) for path in sorted(folder.glob("*.mp4"))}


def test_two_more_minutes(farmhouse: Farmhouse, paths: JobPaths) -> None:
    """A film without timecuts that ends with an odd frame gets a second cut; the first one is kept.

    Its last step made a frame that lay behind the end: that is drawn from the checkpoint.
    """
    run(farmhouse, f"30,{minutes(91)},,")
    first, trained = videos(paths.workspace.renders), paths.log.read_text().count("checkpoint at")
    said = run(farmhouse, f"30,{minutes(155)},,")
    assert "a goes on from frame 91 to 155; its film stays" in said
    assert job_of(paths).plan.cuts == (FrameRange(0, 91), FrameRange(91, 155))
    assert numbers(paths.film()) == list(range(155))
    assert numbers(paths.timecut(2)) == list(range(91, 155))
    assert digest_of_file(paths.timecut(1)) == first["a_timecut0001.mp4"]
    assert videos(paths.workspace.earlier / "a-1") == first
    assert "going on at step 46 of 78, frame 91" in paths.log.read_text()
    assert trained == 1
    told = json.loads(paths.manifest.read_text())
    assert (told["frames"], told["settled"]) == (155, [[91, 91, []]])
    assert not paths.workspace.next.exists()


@pytest.mark.long
def test_a_longer_film_whose_last_cut_was_short_and_another_period(
    farmhouse: Farmhouse, paths: JobPaths
) -> None:
    run(farmhouse, f"30,{minutes(100)},2,")
    run(farmhouse, f"30,{minutes(190)},1,")
    ends = [cut.stop for cut in job_of(paths).plan.cuts]
    assert ends == [60, 100, 130, 160, 190]
    assert numbers(paths.film()) == list(range(190))
    for number, cut in enumerate(job_of(paths).plan.cuts, 1):
        assert numbers(paths.timecut(number)) == list(range(cut.start, cut.stop))


def test_a_film_is_made_shorter_while_it_trains(farmhouse: Farmhouse, paths: JobPaths) -> None:
    """It was one cut; its batches are as long as they were where they are made already.

    What comes is encoded otherwise, too.
    """
    header = f"{HEADER},preset"
    farmhouse.write_sheet(header, "a,tiny,testcard,1,1,60,5,,,slower")
    farm = farmhouse.start(*CPU, "--spool-gb", "0.1")
    wait_for(lambda: len(list(paths.segments.glob("*.mp4"))) > 2, farm)
    farm.send_signal(signal.SIGINT)
    assert farm.wait(60) == 75
    made = paths.checkpoint_names()[-1].frame
    farmhouse.write_sheet(header, "a,tiny,testcard,1,1,60,0.01,,,slower")
    code, said = farmhouse.run(*CPU)
    assert code == 2
    assert "frames are made already: it must be at least" in said
    total = made + 500
    run(farmhouse, f"60,{minutes(total, 60)},,,ultrafast", header=header)
    assert numbers(paths.film()) == list(range(total))


def test_what_is_asked_for_later_is_made_of_the_film(farmhouse: Farmhouse, paths: JobPaths) -> None:
    """Another format, a copy of it, a loop; then a film that was deleted, and a timecut."""
    run(farmhouse, f"30,{minutes(90)},2,")
    made = videos(paths.workspace.renders)
    header = f"{HEADER},loops,crf"
    said = run(farmhouse, f'30,{minutes(90)},2,"ffv1,gif",pingpong(frames=20),30', header=header)
    assert "a: its film stays h264, as it began; ffv1, gif is made of it" in said
    assert "started" not in said
    exported = paths.workspace.renders / "a.ffv1.mov"
    assert numbers(exported) == list(range(90))
    assert (paths.workspace.renders / "a.gif").exists()
    assert len(frames_of(paths.workspace.renders / "a_loop0001.mp4")) == 20
    assert videos(paths.workspace.renders).items() >= made.items()

    for lost in (paths.film(), paths.timecut(2)):
        lost.unlink()
        said = run(
            farmhouse, f'30,{minutes(90)},2,"ffv1,gif",pingpong(frames=20),30', header=header
        )
        assert f"{lost.name} is not there any more; it is made again from its" in said
        assert "started" not in said
        assert videos(paths.workspace.renders).keys() >= made.keys()
    assert numbers(paths.film()) == list(range(90))
    assert numbers(paths.timecut(2)) == list(range(60, 90))
    before = time.time()
    assert "made again" not in run(
        farmhouse, f'30,{minutes(90)},2,"ffv1,gif",pingpong(frames=20),30', header=header
    )
    assert paths.manifest.stat().st_mtime < before


def test_a_film_that_goes_on_is_the_one_that_was_longer_at_once(
    farmhouse: Farmhouse, make_pictures: MakePictures
) -> None:
    """Of a network, bit for bit: no frame is left out or trained twice, schedules go on."""
    make_pictures(farmhouse.workspace.dataset("photos"), count=6, size=(10, 7))
    columns = {
        "name": "net", "dataset": "photos", "grid_width": 2, "grid_height": 2, "fps": 30,
        "format": "ffv1", "gf_dim": 4, "df_dim": 4, "z_dim": 5, "nbr_of_layers_g": 3,
        "nbr_of_layers_d": 3, "k_w": 3, "k_h": 3, "schedule_g": "cosine(steps=8)",
        "learning_rate_g": 0.01,
    }  # fmt: skip
    header, cells = ",".join([*columns, "video_length"]), ",".join(map(str, columns.values()))
    film = farmhouse.workspace.job("net").film(None, ".mov")

    def made(frames: int, *options: str) -> np.ndarray:
        farmhouse.write_sheet(header, f"{cells},{minutes(frames)}")
        code, said = farmhouse.run(*CPU, "--deterministic", *options)
        assert code == 0, said
        return np.stack([picture for _, picture in frames_of(film)])

    first, longer, at_once = made(21), made(43), made(43, "--fresh", "net")
    assert len(longer) == 43
    assert (longer[:21] == first).all()
    assert (longer == at_once).all()
    assert len(np.unique(longer.reshape(43, -1), axis=0)) >= 20, "the pictures say nothing"


@pytest.mark.long
def test_more_pictures_instead_of_a_film(farmhouse: Farmhouse, paths: JobPaths) -> None:
    header = f"{HEADER},render_video"
    run(farmhouse, f"30,{minutes(45)},,,False", header=header)
    first = {path.name: path.read_bytes() for path in paths.frames.iterdir()}
    run(farmhouse, f"30,{minutes(70)},,,False", header=header)
    pictures = sorted(paths.frames.iterdir())
    assert [_number(path) for path in pictures] == list(range(70))
    kept = paths.workspace.earlier / "a-1" / "a"
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == first


def _number(picture: Path) -> int:
    with Image.open(picture) as image:
        return read_number(np.asarray(image), *CELL)

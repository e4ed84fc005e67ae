"""A real disk that is really full: a program's last words, the render worker, a whole farm."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from benchmarks.films import decoded
from jobs.errors import ProgramFailed
from jobs.workspace.disk import means_full
from jobs.workspace.files import PART, listing
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.families.testcard.session import read_number
from render.delivery.courier import Courier
from render.encoding import ffmpeg
from render.encoding.commands import encode_command
from render.spool.spool import SpoolWriter
from render.worker.worker import RenderWorker
from tests.disk.small_disks import SmallDisk
from tests.disk.small_job import SIZE, a_job, trained
from tests.inline import Inline

PATIENCE = 120.0  # seconds; nothing here takes so long on a healthy machine

MakeDisk = Callable[[int], SmallDisk]


def numbers_in(video: Path, width: int, height: int) -> list[int]:
    """The numbers that a film of test cards at 60 fps shows; each frame must stand at its time."""
    shown = []
    for number, (time, picture) in enumerate(decoded(video)):
        assert time == Fraction(number, 60)
        shown.append(read_number(picture, width, height))
    return shown


def test_what_ffmpeg_says_of_a_full_disk_is_heard(
    small_disk: MakeDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the folder for temporary files is on that disk."""
    disk = small_disk(2)
    plan = a_job().plan
    batch = tmp_path / "batch.rgb"
    batch.write_bytes(bytes(plan.frame_bytes * 4))
    command = encode_command(
        ffmpeg.find(), batch, plan, [disk.path / "x.mp4"], crf=17, preset="ultrafast"
    )
    disk.fill()
    monkeypatch.setattr(tempfile, "tempdir", str(disk.path))
    with pytest.raises(ProgramFailed) as caught:
        ffmpeg.run(command)
    assert means_full(caught.value)


@pytest.mark.parametrize("leave", [0, 2**15], ids=["full from the start", "full on the way"])
def test_the_worker_waits_for_room(
    small_disk: MakeDisk, caplog: pytest.LogCaptureFixture, leave: int
) -> None:
    disk = small_disk(4)
    workspace = Workspace(disk.path)
    columns = {"grid_width": 8, "grid_height": 8, "crf": 0}
    trained(workspace, video_length=60 / 3600, auto_render_period=0.5, **columns)
    paths = workspace.job("job")
    disk.fill(leave)
    worker = RenderWorker(workspace, Inline(), 100, Courier(workspace))
    worker.take_up("job")
    for second in range(20):  # it tries again and again, more often than a failure is tried
        worker.tick(float(second))
    assert not paths.film().exists()
    assert worker.looks_after == {"job"}
    assert not [name for name in listing(paths.segments) if name.endswith(PART)]
    disk.free()
    for second in range(20, 40):
        worker.tick(float(second))
    assert worker.looks_after == frozenset()
    assert not paths.render_failure.exists()
    assert "try 1 of" not in caplog.text
    assert caplog.text.count("the disk is full") == 1
    assert numbers_in(paths.film(), *SIZE) == list(range(60))
    for cut in (1, 2):
        assert numbers_in(paths.timecut(cut), *SIZE) == list(range(30 * cut - 30, 30 * cut))
    assert not list(workspace.renders.glob(f"*{PART}"))


# --- a farm -------------------------------------------------------------------------------------

COLUMNS = "name,dataset,family,grid_width,grid_height,fps,video_length,auto_render_period"
FRAMES, LARGE = 180, (128, 96)  # 6.6 MB of raw frames

# The command, but with a pause after a full disk that a test can wait for.
SHORT_PAUSES = (
    "from multitrain.farm import disk_watch; disk_watch.FULL_SECONDS = 0.5;"
    "from multitrain.commands.cli import main; main()"
)


class FarmProcess:
    """`multitrain run` in a session of its own; what it says is read line by line."""

    def __init__(self, disk: SmallDisk, sheet: Path, *options: str) -> None:
        run = ("run", str(sheet), "--gpus", "cpu", "--workspace", str(disk.mount_point))
        self._popen = subprocess.Popen(
            disk.inside([sys.executable, "-c", SHORT_PAUSES, *run, *options]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.said = ""

    def hears(self, words: str) -> bool:
        """Whether it says this before it ends."""
        assert self._popen.stdout
        while words not in self.said and (line := self._popen.stdout.readline()):
            self.said += line
        return words in self.said

    def wait(self) -> int:
        said, _ = self._popen.communicate(timeout=PATIENCE)
        self.said += said
        return self._popen.returncode

    def close(self) -> None:
        if self._popen.poll() is None:
            os.killpg(self._popen.pid, signal.SIGKILL)
            self._popen.communicate()


@pytest.fixture
def start_farm(tmp_path: Path) -> Iterator[Callable[..., FarmProcess]]:
    farms: list[FarmProcess] = []
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(f"{COLUMNS}\njob,large,testcard,1,1,60,{FRAMES / 3600},1\n")

    def start(disk: SmallDisk, *options: str) -> FarmProcess:
        farms.append(FarmProcess(disk, sheet, *options))
        return farms[-1]

    yield start
    for farm in farms:
        farm.close()


@pytest.mark.parametrize(
    ("leave_mb", "floor_mb", "words"),
    [(2, 0, "it goes on when there is room"), (3, 4, "are free on the disk")],
    ids=["a disk that is full", "too little is free"],
)
def test_a_farm_outlives_a_full_disk(
    small_disk: MakeDisk,
    start_farm: Callable[..., FarmProcess],
    make_pictures: Callable[..., list[Path]],
    leave_mb: int,
    floor_mb: int,
    words: str,
) -> None:
    disk = small_disk(24)
    workspace = Workspace(disk.path)
    make_pictures(workspace.dataset("large"), count=2, size=LARGE)
    disk.fill(leave_mb * 2**20)
    farm = start_farm(disk, "--keep-free-gb", str(floor_mb / 2**10))
    assert farm.hears(words), farm.said
    disk.free()
    assert farm.wait() == 0, farm.said
    paths = workspace.job("job")
    assert numbers_in(paths.film(), *LARGE) == list(range(FRAMES))
    assert len(list(workspace.renders.glob("job_timecut*.mp4"))) == 3
    assert not list(workspace.root.rglob(f"*{PART}"))
    assert "tries left" not in farm.said


@pytest.mark.parametrize("floor_mb", [0, 1])
def test_a_farm_comes_through_on_a_disk_smaller_than_its_frames(
    small_disk: MakeDisk,
    start_farm: Callable[..., FarmProcess],
    make_pictures: Callable[..., list[Path]],
    floor_mb: int,
) -> None:
    """Nobody makes room but the farm itself."""
    disk = small_disk(24)
    workspace = Workspace(disk.path)
    make_pictures(workspace.dataset("large"), count=2, size=LARGE)
    disk.fill(5 * 2**20)
    farm = start_farm(disk, "--keep-free-gb", str(floor_mb / 2**10))
    assert farm.wait() == 0, farm.said
    assert numbers_in(workspace.job("job").film(), *LARGE) == list(range(FRAMES))


@pytest.mark.parametrize("options", [(), ("--fresh", "all")])
def test_a_disk_that_a_killed_farm_has_filled_is_cleared_by_the_next_one(
    small_disk: MakeDisk,
    start_farm: Callable[..., FarmProcess],
    make_pictures: Callable[..., list[Path]],
    options: tuple[str, ...],
) -> None:
    disk = small_disk(24)
    workspace = Workspace(disk.path)
    make_pictures(workspace.dataset("large"), count=2, size=LARGE)
    assert start_farm(disk, "--keep-free-gb", "0").wait() == 0
    paths = workspace.job("job")
    job = JobFile.load(paths)
    assert job is not None
    for made in (*workspace.renders.iterdir(), workspace.store, *paths.checkpoints.iterdir()):
        made.unlink()  # as if it had been killed before the first checkpoint ...
    disk.fill(5 * 2**20)
    writer = SpoolWriter(paths, job.plan, 0)
    with pytest.raises(OSError, match="No space"):  # ... with a disk full of uncovered frames
        writer.write(np.zeros((FRAMES, LARGE[1], LARGE[0], 3), np.uint8))
    farm = start_farm(disk, "--keep-free-gb", "0", *options)
    assert farm.wait() == 0, farm.said
    assert numbers_in(paths.film(), *LARGE) == list(range(FRAMES))


def test_a_disk_that_others_have_filled_is_told_before_anything_starts(
    small_disk: MakeDisk,
    start_farm: Callable[..., FarmProcess],
    make_pictures: Callable[..., list[Path]],
) -> None:
    disk = small_disk(4)
    make_pictures(Workspace(disk.path).dataset("large"), count=2, size=LARGE)
    disk.fill()
    farm = start_farm(disk)
    assert farm.wait() == 2
    assert "cannot be written (no space left on device); make room" in farm.said

"""A training that is killed again and again makes the frames of one that never was, bit for bit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from jobs.errors import ExitCode
from jobs.jobfile import JobFile
from jobs.paths import JobPaths, Workspace
from jobs.spec import JobSpec
from multitrain.slots import available_cores, share_out
from render.spool import batches, spooled_bytes

MakePictures = Callable[..., list[Path]]

SECONDS = 120.0  # nothing here takes so long on a healthy machine
FRAMES = 3000
CUT = 600  # frames: a checkpoint falls due at each end
FRAME_BYTES = (2 * 16) * (2 * 12) * 3
KILLED_AT = (400, 1500, 1900)  # frames: before any checkpoint, and twice some way beyond one


@pytest.fixture
def submit(workspace: Workspace, make_pictures: MakePictures) -> Callable[[str], JobPaths]:
    """Writes `job.yaml` of a tiny DCGAN with all that a state can hold: `submit(name)`."""
    width, height = 16, 12
    make_pictures(workspace.dataset("photos"), count=5, size=(width, height))

    def make(name: str) -> JobPaths:
        cells = {"name": name, "dataset": "photos", "grid_width": 2, "grid_height": 2, "fps": 10}
        cells |= {"video_length": FRAMES / 600, "auto_render_period": CUT / 10, "z_dim": 4}
        cells |= {"nbr_of_layers_g": 3, "nbr_of_layers_d": 3, "gf_dim": 4, "df_dim": 4}
        cells |= {"batch_norm_g": True, "batch_norm_d": True, "learning_rate_g": 0.01}
        paths = workspace.job(name)
        paths.run.mkdir(parents=True)
        job = JobFile(spec=JobSpec.model_validate(cells), image_width=width, image_height=height)
        assert job.plan.frame_bytes == FRAME_BYTES
        job.save(paths)
        return paths

    return make


@dataclass
class Trainers:
    """Starts trainers of one job, each on another slot than the one before."""

    paths: JobPaths
    starts: int = 0

    @contextmanager
    def one(self) -> Iterator[subprocess.Popen[bytes]]:
        slots = share_out(available_cores(), 2)
        cores = ",".join(map(str, slots[self.starts % 2]))
        self.starts += 1
        command = [sys.executable, "-m", "multitrain.trainer", str(self.paths.workspace.root)]
        command += [self.paths.name, "--deterministic", "--cores", cores]
        with self.paths.log.open("ab") as log:
            child = subprocess.Popen(
                command, stderr=log, env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1"}
            )
        try:
            yield child
        finally:
            child.kill()
            child.wait()

    def train(self) -> int:
        with self.one() as child:
            return child.wait(SECONDS)

    def kill_at(self, frames: int) -> int:
        """Train until so many frames lie in the spool, then kill; frames that are lost by it."""
        deadline = time.monotonic() + SECONDS
        with self.one() as child:
            while self.spooled_frames() < frames:
                assert child.poll() is None, self.paths.log.read_text()
                assert time.monotonic() < deadline, self.paths.log.read_text()
                time.sleep(0.002)
            child.kill()
            assert child.wait() == -signal.SIGKILL, "it had ended before"
        names = self.paths.checkpoint_names()
        return self.spooled_frames() - (names[-1].frame if names else 0)

    def spooled_frames(self) -> int:
        return spooled_bytes(self.paths) // FRAME_BYTES


def spool(paths: JobPaths) -> bytes:
    return b"".join(paths.batch(batch).read_bytes() for batch in batches(paths))


def test_kills_do_not_change_a_bit(submit: Callable[[str], JobPaths]) -> None:
    whole, broken = submit("whole"), submit("broken")
    assert Trainers(whole).train() == ExitCode.DONE, whole.log.read_text()

    trainers = Trainers(broken)
    lost = [trainers.kill_at(frames) for frames in KILLED_AT]
    assert trainers.train() == ExitCode.DONE, broken.log.read_text()

    assert all(frames >= 0 for frames in lost), "a checkpoint covers what is on the disk"
    assert any(frames > 0 for frames in lost), "no kill cost anything"
    assert len(spool(whole)) == FRAMES * FRAME_BYTES
    assert len(set(spool(whole))) > 50, "the pictures say nothing"
    assert spool(broken) == spool(whole)
    assert not list(broken.run.rglob("*.part"))

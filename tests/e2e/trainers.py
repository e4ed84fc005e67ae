"""Trainers of tiny jobs, without a farm: started, killed, and what they leave in the spool."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths
from multitrain.farm.launching import imports_of
from multitrain.machine.cores import available_cores, share_out
from render.spool.spool import batches, spooled_bytes

SECONDS = 120.0  # nothing here takes so long on a healthy machine
SIZE = (16, 12)  # of a picture, in pixels


def frame_bytes(size: tuple[int, int]) -> int:
    """Of a frame of 2x2 pictures."""
    return (2 * size[0]) * (2 * size[1]) * 3


FRAME_BYTES = frame_bytes(SIZE)


def save_job(paths: JobPaths, frames: int, size: tuple[int, int] = SIZE, **columns: object) -> None:
    """Writes `job.yaml` of a tiny DCGAN on data set `photos`, whose pictures have this `size`."""
    cells = {"name": paths.name, "dataset": "photos", "grid_width": 2, "grid_height": 2, "fps": 10}
    cells |= {"video_length": frames / 600, "z_dim": 4, "learning_rate_g": 0.01}
    cells |= {"nbr_of_layers_g": 3, "nbr_of_layers_d": 3, "gf_dim": 4, "df_dim": 4}
    cells |= {"batch_norm_g": True, "batch_norm_d": True}
    spec = JobSpec.model_validate(cells | columns)
    job = JobFile(spec=spec, image_width=size[0], image_height=size[1])
    assert job.plan.frame_bytes == frame_bytes(size)
    job.save(paths)


@dataclass
class Trainers:
    """Starts trainers of one job, each on another slot than the one before."""

    paths: JobPaths
    starts: int = 0
    frame_bytes: int = FRAME_BYTES

    @contextmanager
    def one(self) -> Iterator[subprocess.Popen[bytes]]:
        slots = share_out(available_cores(), 2)
        cores = ",".join(map(str, slots[self.starts % 2]))
        self.starts += 1
        command = [
            sys.executable,
            "-m",
            "multitrain.trainer.process",
            str(self.paths.workspace.root),
        ]
        command += [self.paths.name, "--deterministic", "--cores", cores]
        job = JobFile.read(self.paths)
        assert job is not None
        environment = os.environ | imports_of(job) | {"CUDA_VISIBLE_DEVICES": "-1"}
        with self.paths.log.open("ab") as log:
            child = subprocess.Popen(command, stderr=log, env=environment)
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
        return spooled_bytes(self.paths) // self.frame_bytes


def spool(paths: JobPaths) -> bytes:
    """All raw frames of a job that is trained and not rendered."""
    return b"".join(paths.batch(batch).read_bytes() for batch in batches(paths))

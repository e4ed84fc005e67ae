"""The trainer as the farm starts it: a real process, a real network."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.errors import ExitCode
from jobs.jobfile import JobFile
from jobs.paths import JobPaths
from jobs.spec import JobSpec
from multitrain.observe import last_progress, training_failure
from render.spool import batches, spooled_bytes

WIDTH, HEIGHT = 16, 12
SECONDS = 120  # until a child counts as stuck


@pytest.fixture
def submit(paths: JobPaths, make_pictures: Callable[..., list[Path]]) -> Callable[..., JobFile]:
    """Writes `job.yaml` and pictures: `submit(frames, **columns)`."""

    def make(frames: int, **columns: object) -> JobFile:
        make_pictures(paths.workspace.dataset("d"), count=5, size=(WIDTH, HEIGHT))
        cells = {"name": "job", "dataset": "d", "grid_width": 2, "grid_height": 2, "fps": 10}
        cells |= {"video_length": frames / 600, "nbr_of_layers_g": 3, "nbr_of_layers_d": 3}
        cells |= {"gf_dim": 2, "df_dim": 2, "z_dim": 4, "learning_rate_g": 0.01}
        spec = JobSpec.model_validate({**cells, **columns})
        job = JobFile(spec=spec, image_width=WIDTH, image_height=HEIGHT)
        paths.run.mkdir(parents=True, exist_ok=True)
        job.save(paths)
        return job

    return make


class Trainer:
    """A child process; its log is read line by line."""

    def __init__(self, paths: JobPaths, *options: str, **popen: object) -> None:
        command = [sys.executable, "-m", "multitrain.trainer", str(paths.workspace.root), "job"]
        self.child = subprocess.Popen(
            [*command, *options],
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1"},
            **popen,
        )
        self.log = ""

    def wait_for(self, words: str) -> None:
        assert self.child.stderr
        for line in self.child.stderr:
            self.log += line
            if words in line:
                return
        pytest.fail(f"the trainer never said {words!r}:\n{self.log}")

    def end(self) -> int:
        _, rest = self.child.communicate(timeout=SECONDS)
        self.log += rest
        return self.child.returncode


@pytest.fixture
def start(paths: JobPaths) -> Iterator[Callable[..., Trainer]]:
    started: list[Trainer] = []

    def make(*options: str, **popen: object) -> Trainer:
        started.append(Trainer(paths, *options, **popen))
        return started[-1]

    yield make
    for trainer in started:
        trainer.child.kill()
        trainer.child.communicate()


def spool(paths: JobPaths) -> bytes:
    return b"".join(paths.batch(batch).read_bytes() for batch in batches(paths))


def test_a_drained_job_goes_on_to_the_same_film(
    submit: Callable[..., JobFile], start: Callable[..., Trainer], paths: JobPaths
) -> None:
    job = submit(1000, auto_render_period=20)
    first = start("--deterministic", "--cores", "0")
    first.wait_for("checkpoint at step 100,")
    first.child.send_signal(signal.SIGTERM)

    assert first.end() == ExitCode.DRAINED, first.log
    stopped = paths.checkpoint_names()[-1]
    assert 200 <= stopped.frame < 1000
    assert spooled_bytes(paths) == stopped.frame * job.plan.frame_bytes

    assert start("--deterministic", "--cores", "0").end() == ExitCode.DONE
    resumed = spool(paths)
    told = last_progress(paths.progress)
    assert told is not None
    assert told.frame == 1000

    shutil.rmtree(paths.spool)
    shutil.rmtree(paths.checkpoints)
    assert start("--deterministic", "--cores", "0").end() == ExitCode.DONE
    uninterrupted = spool(paths)
    assert len(uninterrupted) == 1000 * job.plan.frame_bytes
    assert len(set(uninterrupted)) > 50, "the pictures say nothing"
    assert resumed == uninterrupted


def test_the_farms_death_drains(
    submit: Callable[..., JobFile], start: Callable[..., Trainer], paths: JobPaths
) -> None:
    submit(600_000, family="testcard")
    lifeline, farm = os.pipe()
    trainer = start("--lifeline", str(lifeline), pass_fds=[lifeline])
    os.close(lifeline)
    trainer.wait_for("going on at step 0")

    os.close(farm)

    assert trainer.end() == ExitCode.DRAINED, trainer.log
    assert "the farm is gone" in trainer.log
    assert paths.checkpoint_names()


def test_a_complete_job_ends_at_once(
    submit: Callable[..., JobFile], start: Callable[..., Trainer], paths: JobPaths
) -> None:
    submit(60, family="testcard")
    assert start().end() == ExitCode.DONE
    paths.progress.unlink()

    again = start()

    assert again.end() == ExitCode.DONE
    assert "going on" not in again.log
    told = last_progress(paths.progress)
    assert told is not None
    assert told.frame == 60


def test_a_job_without_checkpoints_is_complete_when_its_frames_are_there(
    submit: Callable[..., JobFile], start: Callable[..., Trainer], paths: JobPaths
) -> None:
    submit(60, family="testcard", use_checkpoints=False)
    assert start().end() == ExitCode.DONE

    again = start()

    assert again.end() == ExitCode.DONE
    assert "going on" not in again.log
    assert len(spool(paths)) > 0


def test_a_data_set_without_pictures_is_told(
    submit: Callable[..., JobFile], start: Callable[..., Trainer], paths: JobPaths
) -> None:
    submit(60, family="testcard", dataset="nowhere")

    assert start().end() == ExitCode.FAILED

    assert training_failure(paths, 1).kind == "dataset"


def test_a_failure_is_told_in_one_line_and_forgotten_at_the_next_start(
    submit: Callable[..., JobFile], start: Callable[..., Trainer], paths: JobPaths
) -> None:
    trainer = start()
    assert trainer.end() == ExitCode.FAILED
    told = json.loads(paths.training_failure.read_text())
    assert told["kind"] == "error"
    assert "job.yaml is not there" in told["reason"]
    assert "Traceback" in trainer.log

    submit(60, family="testcard")
    assert start().end() == ExitCode.DONE
    assert not paths.training_failure.exists()

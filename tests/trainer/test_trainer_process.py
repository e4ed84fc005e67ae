"""The trainer as the farm starts it: a real process, a real network."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable

from jobs.errors import ExitCode
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths
from multitrain.farm.progress_reader import last_progress, training_failure
from render.spool.spool import batches, spooled_bytes
from tests.trainer.trainer_child import TrainerChild


def spool(paths: JobPaths) -> bytes:
    return b"".join(paths.batch(batch).read_bytes() for batch in batches(paths))


def test_a_drained_job_goes_on_to_the_same_film(
    submit: Callable[..., JobFile], start: Callable[..., TrainerChild], paths: JobPaths
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
    submit: Callable[..., JobFile], start: Callable[..., TrainerChild], paths: JobPaths
) -> None:
    submit(600_000, family="testcard")
    lifeline, farm = os.pipe()
    trainer = start("--lifeline", str(lifeline), pass_fds=[lifeline])
    os.close(lifeline)
    trainer.wait_for("beginning at step 0")

    os.close(farm)

    assert trainer.end() == ExitCode.DRAINED, trainer.log
    assert "the farm is gone" in trainer.log
    assert paths.checkpoint_names()


def test_a_complete_job_ends_at_once(
    submit: Callable[..., JobFile], start: Callable[..., TrainerChild], paths: JobPaths
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
    submit: Callable[..., JobFile], start: Callable[..., TrainerChild], paths: JobPaths
) -> None:
    submit(60, family="testcard", use_checkpoints=False)
    assert start().end() == ExitCode.DONE

    again = start()

    assert again.end() == ExitCode.DONE
    assert "going on" not in again.log
    assert len(spool(paths)) > 0


def test_a_job_goes_on_only_with_its_pictures(
    submit: Callable[..., JobFile], start: Callable[..., TrainerChild], paths: JobPaths
) -> None:
    submit(600_000, family="testcard", auto_render_period=60)
    first = start()
    first.wait_for("checkpoint at step")
    first.child.send_signal(signal.SIGTERM)
    assert first.end() == ExitCode.DRAINED, first.log
    spooled = spool(paths)
    picture = sorted(paths.workspace.dataset("d").iterdir())[0]
    content = picture.read_bytes()

    picture.unlink()
    assert start().end() == ExitCode.FAILED

    failure = training_failure(paths, ExitCode.FAILED)
    assert failure.kind == "pictures_changed"
    assert "since the checkpoint: 5 of 16x12 then, 4 of 16x12 now" in failure.reason
    assert spool(paths) == spooled
    picture.write_bytes(content)
    third = start()
    third.wait_for("going on at step")
    assert "beginning at step" not in third.log


def test_a_data_set_without_pictures_is_told(
    submit: Callable[..., JobFile], start: Callable[..., TrainerChild], paths: JobPaths
) -> None:
    submit(60, family="testcard", dataset="nowhere")

    assert start().end() == ExitCode.FAILED

    assert training_failure(paths, 1).kind == "dataset"


def test_a_failure_is_told_in_one_line_and_forgotten_at_the_next_start(
    submit: Callable[..., JobFile], start: Callable[..., TrainerChild], paths: JobPaths
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

"""A training that is killed again and again makes the frames of one that never was, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.errors import ExitCode
from jobs.workspace.paths import CheckpointName, JobPaths, Workspace
from tests.e2e.trainers import FRAME_BYTES, SIZE, Trainers, save_job, spool

FRAMES = 3000
CUT = 600  # frames: a checkpoint falls due at each end
KILLED_AT = (400, 1500, 1900)  # frames: before any checkpoint, and twice some way beyond one


@pytest.fixture
def submit(
    workspace: Workspace, make_pictures: Callable[..., list[Path]]
) -> Callable[..., JobPaths]:
    """Writes `job.yaml` of a tiny DCGAN with all that a state can hold: `submit(name)`.

    `submit(name, frames, **columns)` is one of another length, or otherwise different.
    """
    make_pictures(workspace.dataset("photos"), count=5, size=SIZE)

    def make(name: str, frames: int = FRAMES, **columns: object) -> JobPaths:
        paths = workspace.job(name)
        save_job(paths, frames, **{"auto_render_period": CUT / 10, **columns})
        return paths

    return make


def test_kills_do_not_change_a_bit(submit: Callable[..., JobPaths], long: bool) -> None:
    kills = KILLED_AT if long else KILLED_AT[::2]
    whole, broken = submit("whole"), submit("broken")
    assert Trainers(whole).train() == ExitCode.DONE, whole.log.read_text()

    trainers = Trainers(broken)
    lost = [trainers.kill_at(frames) for frames in kills]
    assert trainers.train() == ExitCode.DONE, broken.log.read_text()

    assert all(frames >= 0 for frames in lost), "a checkpoint covers what is on the disk"
    assert any(frames > 0 for frames in lost), "no kill cost anything"
    assert len(spool(whole)) == FRAMES * FRAME_BYTES
    assert len(set(spool(whole))) > 50, "the pictures say nothing"
    assert spool(broken) == spool(whole)
    assert not list(broken.run.rglob("*.part"))


def test_a_kill_between_frames_does_not_change_a_bit(submit: Callable[..., JobPaths]) -> None:
    columns = {"snapshot": "every 3 steps", "first_frame_after": 12, "auto_render_period": 3.0}
    whole, broken = submit("whole", 100, **columns), submit("broken", 100, **columns)
    assert Trainers(whole).train() == ExitCode.DONE, whole.log.read_text()

    trainers = Trainers(broken)
    trainers.kill_at(50)
    assert trainers.train() == ExitCode.DONE, broken.log.read_text()

    assert len(spool(whole)) == 100 * FRAME_BYTES
    assert spool(broken) == spool(whole)
    assert broken.checkpoint_names()[-1] == CheckpointName(12 + 100 * 3, 100)

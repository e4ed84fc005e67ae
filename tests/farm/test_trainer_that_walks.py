"""A trainer that draws walks makes no frames of its film, and is not stuck all the same."""

from __future__ import annotations

import json

from jobs.paths import Workspace
from multitrain.observe import last_progress
from multitrain.patience import StallWatch
from multitrain.progress import ProgressLog, parse_line


def test_frames_of_walks_count_as_signs_of_life(workspace: Workspace) -> None:
    watch = StallWatch(60.0, 100, now=0.0)

    for minute in range(1, 10):
        watch.saw(100 + 5 * minute, now=50.0 * minute)
        assert not watch.is_stuck(50.0 * minute)

    assert watch.is_stuck(450.0 + 61.0), "one that hangs is"


def test_lines_tell_of_them_and_old_lines_of_none(workspace: Workspace) -> None:
    paths = workspace.job("job")
    paths.run.mkdir(parents=True)
    progress = ProgressLog(paths)
    progress.tell(50, 100, 9.0, {})
    first = last_progress(paths.progress)
    progress.tell_walked(50, 100, 7)
    second = last_progress(paths.progress)
    progress.close()

    assert first is not None
    assert second is not None
    assert (first.frame, first.walked) == (100, 0)
    assert (second.frame, second.walked) == (100, 7)
    assert parse_line(json.dumps({"time": 1, "step": 2, "frame": 3, "walked": "x"}).encode()) == (
        1.0, 2, 3, 0,
    )  # fmt: skip


def test_a_rewind_behind_the_last_step_keeps_its_frames_count(workspace: Workspace) -> None:
    paths = workspace.job("job")
    paths.run.mkdir(parents=True)
    progress = ProgressLog(paths)
    progress.tell(50, 100, 9.0, {})
    progress.tell_walked(50, 100, 7)

    progress.tell_complete(50, 100)
    progress.close()

    told = last_progress(paths.progress)
    assert told is not None
    assert told.frame == 100

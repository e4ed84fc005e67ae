from __future__ import annotations

import json
import os
import signal

from jobs.failures import Failure
from jobs.paths import Workspace, modified
from multitrain.observe import (
    NewOutputs,
    Progress,
    last_progress,
    published,
    training_failure,
)


def line(time: float, step: int) -> str:
    told = {"time": time, "step": step, "frame": 2 * step, "steps_per_second": 9.0, "losses": {}}
    return json.dumps(told) + "\n"


def test_the_last_whole_line_counts(workspace: Workspace) -> None:
    path = workspace.root / "progress.jsonl"
    assert last_progress(path) is None
    path.write_text("")
    assert last_progress(path) is None
    path.write_text(line(1.5, 7))
    assert last_progress(path) == Progress(step=7, frame=14, frames_per_second=0.0)
    path.write_text(line(1.5, 7) * 1000 + line(2.5, 8) + '{"time": 3.5, "step": 9, "fra')
    assert last_progress(path, wall=lambda: 3.0) == Progress(
        step=8, frame=16, frames_per_second=2.0
    )


def test_the_speed_is_that_of_the_last_half_minute(workspace: Workspace) -> None:
    path = workspace.root / "progress.jsonl"
    before_the_pause = line(0, 1) + line(1, 50)
    path.write_text(before_the_pause + line(5000, 100) + line(5010, 140))
    told = last_progress(path, wall=lambda: 5020)
    assert told == Progress(step=140, frame=280, frames_per_second=8.0)
    stands_still = last_progress(path, wall=lambda: 5100)
    assert stands_still == Progress(step=140, frame=280, frames_per_second=0.0)


def test_lines_of_another_kind_are_passed_over(workspace: Workspace) -> None:
    path = workspace.root / "progress.jsonl"
    path.write_text(line(1.5, 7) + '[1]\n"x"\n{"step": "many"}\n')
    assert last_progress(path) == Progress(step=7, frame=14, frames_per_second=0.0)


def test_a_failure_is_told_in_one_line(workspace: Workspace) -> None:
    paths = workspace.job("a")
    paths.run.mkdir(parents=True)
    assert Failure.load(paths.render_failure) is None
    assert "killed" in training_failure(paths, -9).reason
    assert "SIGSEGV" in training_failure(paths, -11).reason
    reason = f"the decoded pictures in {workspace.cache} could not be read"
    assert reason in training_failure(paths, -signal.SIGBUS).reason
    assert "code 3" in training_failure(paths, 3).reason
    assert "before all frames" in training_failure(paths, 0).reason
    paths.training_failure.write_text('{"kind": "out_of_memory", "reason": "too\\n large"}')
    failure = training_failure(paths, 1)
    assert (failure.kind, failure.reason) == ("out_of_memory", "too large")
    paths.training_failure.write_text("{")
    assert "damaged" in training_failure(paths, 1).reason


def test_videos_are_known_by_their_job(workspace: Workspace) -> None:
    assert published(workspace) == {}
    assert modified(workspace.renders) == 0
    workspace.renders.mkdir()
    names = ["a_timecut0001.mp4", "a_timecut0001_box0002.mp4", "a.mp4", "a_b_box0001.mp4"]
    names += ["c_timecut0001.mov", "c.mov", "c.gif", "c.hap.mov", "c.jpg", "c_loop0002.mp4"]
    for name in [*names, "a.json", "a_timecut0002.mp4.part"]:
        (workspace.renders / name).touch()
    found = {job: [path.name for path in paths] for job, paths in published(workspace).items()}
    assert found == {"a": names[:3], "a_b": [names[3]], "c": names[4:]}


def test_each_video_is_news_once(workspace: Workspace) -> None:
    workspace.renders.mkdir()
    paths = workspace.job("a")
    paths.timecut(1).touch()
    news = NewOutputs(workspace)
    assert news.look() == []
    for second, told in enumerate(([paths.timecut(2), paths.film()], [paths.timecut(3, 2)])):
        for path in told:
            path.touch()
        (workspace.renders / "notes.txt").write_text("no video")
        os.utime(workspace.renders, (second, second))  # the clock of the disk may be coarse
        assert news.look() == [("a", path) for path in told]
        assert news.look() == []

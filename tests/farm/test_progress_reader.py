from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable

import pytest

from jobs.workspace.failures import Failure
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.farm.progress_reader import (
    NewOutputs,
    Progress,
    last_progress,
    training_failure,
)

MakeJob = Callable[..., JobFile]


def line(time: float, step: int) -> str:
    told = {"time": time, "step": step, "frame": 2 * step, "steps_per_second": 9.0, "losses": {}}
    return json.dumps(told) + "\n"


def test_the_last_whole_line_counts(workspace: Workspace) -> None:
    path = workspace.root / "progress.jsonl"
    assert last_progress(path) is None
    path.write_text("")
    assert last_progress(path) is None
    path.write_text(line(1.5, 7))
    assert last_progress(path) == Progress(step=7, frame=14, steps_per_second=0.0, time=1.5)
    path.write_text(line(1.5, 7) * 1000 + line(2.5, 8) + '{"time": 3.5, "step": 9, "fra')
    assert last_progress(path, wall=lambda: 3.0) == Progress(
        step=8, frame=16, steps_per_second=1.0, time=2.5
    )


def test_the_speed_is_that_of_the_last_half_minute(workspace: Workspace) -> None:
    path = workspace.root / "progress.jsonl"
    before_the_pause = line(0, 1) + line(1, 50)
    path.write_text(before_the_pause + line(5000, 100) + line(5010, 140))
    told = last_progress(path, wall=lambda: 5020)
    assert told == Progress(step=140, frame=280, steps_per_second=4.0, time=5010)
    stands_still = last_progress(path, wall=lambda: 5100)
    assert stands_still == Progress(step=140, frame=280, steps_per_second=0.0, time=5010)


def test_lines_of_another_kind_are_passed_over(workspace: Workspace) -> None:
    path = workspace.root / "progress.jsonl"
    path.write_text(line(1.5, 7) + '[1]\n"x"\n{"step": "many"}\n')
    assert last_progress(path) == Progress(step=7, frame=14, steps_per_second=0.0, time=1.5)


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


@pytest.mark.parametrize("listed", [False, True], ids=["looked for", "listed"])
def test_each_video_is_news_once(
    listed: bool, workspace: Workspace, tiny_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.workspace.files.SOME", 0 if listed else 100)
    workspace.renders.mkdir()
    job, paths = tiny_job(name="a", auto_render_period=1, format="h264,hap"), workspace.job("a")
    paths.timecut(1).touch()
    news = NewOutputs(workspace)
    assert news.look([(paths, job)]) == []
    hap = workspace.renders / "a.hap.mov"
    published = [[paths.timecut(2), paths.film()], [paths.timecut(3), hap]]
    for second, told in enumerate(published, 1):
        for path in told:
            path.touch()
        (workspace.renders / "notes.txt").write_text("no video")
        paths.film().with_suffix(".jpg").touch()  # comes with the film
        os.utime(workspace.renders, (second, second))  # the clock of the disk may be coarse
        assert news.look([(paths, job)]) == [("a", path) for path in told]
        assert news.look([(paths, job)]) == []


def test_what_a_job_has_published_last_is_news_though_it_has_ended_by_then(
    workspace: Workspace, tiny_job: MakeJob
) -> None:
    workspace.renders.mkdir()
    paths, news = workspace.job("a"), NewOutputs(workspace)
    assert news.look([(paths, tiny_job(name="a"))]) == []
    paths.film().touch()
    os.utime(workspace.renders, (1, 1))
    assert news.look([]) == [("a", paths.film())]
    assert news.look([]) == []


def test_a_job_whose_film_was_there_when_its_turn_came_is_news(
    workspace: Workspace, tiny_job: MakeJob
) -> None:
    workspace.renders.mkdir()
    jobs = [(workspace.job(name), tiny_job(name=name)) for name in "ab"]
    news = NewOutputs(workspace)
    for paths, _ in jobs:
        paths.film().touch()
    assert news.look(jobs[:1]) == [("a", jobs[0][0].film())]
    assert news.look(jobs[1:]) == [("b", jobs[1][0].film())]


def test_what_a_new_take_publishes_is_news_too(workspace: Workspace, tiny_job: MakeJob) -> None:
    news, jobs = NewOutputs(workspace), [(workspace.job("a"), tiny_job(name="a"))]
    folder = workspace.next / "a"
    folder.mkdir(parents=True)
    (folder / "a_timecut0001.mp4").touch()
    assert news.look(jobs) == [("a", folder / "a_timecut0001.mp4")]
    assert news.look(jobs) == []

from __future__ import annotations

from jobs.paths import Workspace
from multitrain.observe import (
    Progress,
    last_progress,
    modified,
    published_videos,
    read_failure,
    training_failure,
)

LINE = '{"time": 1.5, "step": 7, "frame": 14, "steps_per_second": 2.5, "losses": {"d": 1.0}}\n'


def test_the_last_whole_line_counts(workspace: Workspace) -> None:
    path = workspace.root / "progress.jsonl"
    assert last_progress(path) is None
    path.write_text("")
    assert last_progress(path) is None
    path.write_text(LINE * 1000 + '{"time": 2.5, "step": 8, "fra')
    assert last_progress(path) == Progress(step=7, frame=14, steps_per_second=2.5)


def test_lines_of_another_kind_are_passed_over(workspace: Workspace) -> None:
    path = workspace.root / "progress.jsonl"
    path.write_text(LINE + '[1]\n"x"\n{"step": "many"}\n')
    assert last_progress(path) == Progress(step=7, frame=14, steps_per_second=2.5)


def test_a_failure_is_told_in_one_line(workspace: Workspace) -> None:
    paths = workspace.job("a")
    paths.run.mkdir(parents=True)
    assert read_failure(paths.render_failure) is None
    assert "killed" in training_failure(paths, -9).reason
    assert "SIGSEGV" in training_failure(paths, -11).reason
    assert "code 3" in training_failure(paths, 3).reason
    assert "before all frames" in training_failure(paths, 0).reason
    paths.training_failure.write_text('{"kind": "out_of_memory", "reason": "too\\n large"}')
    failure = training_failure(paths, 1)
    assert (failure.kind, failure.reason) == ("out_of_memory", "too large")
    paths.training_failure.write_text("{")
    assert "damaged" in training_failure(paths, 1).reason


def test_videos_are_known_by_their_job(workspace: Workspace) -> None:
    assert published_videos(workspace) == {}
    assert modified(workspace.renders) == 0
    workspace.renders.mkdir()
    names = ["a.mp4", "a_timecut0001.mp4", "a_timecut0001_box0002.mp4", "a_b_box0001.mp4"]
    for name in [*names, "a.json", "a_timecut0002.mp4.part"]:
        (workspace.renders / name).touch()
    found = {
        job: [path.name for path in paths] for job, paths in published_videos(workspace).items()
    }
    assert found == {"a": sorted(names[:3]), "a_b": [names[3]]}

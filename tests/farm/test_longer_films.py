"""Films that are done and go on beyond their end, or cannot."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jobs.errors import UsageError
from jobs.plans.plan import Stretch
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import CheckpointName, Workspace
from jobs.workspace.states import State
from jobs.workspace.store import Store
from multitrain.farm.entries import Action
from render.spool.notes import note_film
from tests.farm.done_job import Done, encode, states
from tests.farm.simulation import make_job


def test_a_film_that_is_done_is_made_longer(
    workspace: Workspace, store: Store, done: Callable[..., Done]
) -> None:
    before = done(video_length="0.1")  # 360 frames, one cut
    old = before.files(workspace.renders)
    longer = make_job("a", video_length="0.2")
    entry = before.submit(longer)
    assert entry.action is Action.LENGTHEN
    assert entry.job.settled == (Stretch(360, 360),)
    assert entry.job.schedule_steps == 180
    assert before.files(workspace.renders) == old
    paths = before.paths
    assert before.files(paths.outputs) == {"a_timecut0001.mp4": old["a_timecut0001.mp4"]}
    assert paths.checkpoint_names() == [CheckpointName(180, 360)]
    assert (workspace.earlier_runs / "a-1" / "job.yaml").exists()
    assert JobFile.read(paths) == entry.job
    assert states(store) == {"a": "queued"}
    assert before.submit(longer).action is Action.GO_ON  # a run that was stopped before


def test_a_longer_film_goes_on_wherever_it_was_cut_off(
    workspace: Workspace, store: Store, done: Callable[..., Done]
) -> None:
    """Before the store knew of it; with an empty folder left over; with job.yaml damaged."""
    before = done(video_length="0.1")
    (workspace.next / "a").mkdir(parents=True)
    before.paths.job_file.write_text("spec: [")
    longer = make_job("a", video_length="0.2")
    assert before.submit(longer).action is Action.LENGTHEN
    assert list(before.files(before.paths.outputs)) == ["a_timecut0001.mp4"]
    for state in (State.RUNNING, State.RENDERING, State.DONE):
        store.transition("a", state, attempts=0)
    assert before.submit(longer).action is Action.GO_ON
    assert states(store) == {"a": "queued"}


def test_a_film_that_has_no_place_yet_is_made_longer_as_well(
    workspace: Workspace, done: Callable[..., Done]
) -> None:
    before = done(seed="1")
    job = make_job("a", seed="2")
    before.submit(job, "a")
    paths = before.paths
    job.save(paths)
    total = job.plan.frames_total
    for path in (paths.checkpoint(CheckpointName(total // 2, total)), *before.videos()):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("second")
    note_film(paths, job)
    entry = before.submit(make_job("a", seed="2", video_length="0.2"))
    assert entry.action is Action.LENGTHEN
    assert before.files(workspace.next / "a") == {"a_timecut0001.mp4": "second"}
    assert before.files(workspace.earlier / "a-2") == {"a.mp4": "second"}
    assert (workspace.renders / "a.mp4").read_text() == "the earlier a.mp4"


@pytest.mark.parametrize(
    ("cells", "spoilt", "told"),
    [
        ({"video_length": "0.05"}, None, "360 frames are made already: it must be at least 0.1"),
        ({"video_length": "0.2"}, "checkpoint", "no checkpoint from which the film could go on"),
        (
            {"video_length": "0.2"},
            "timecut",
            "a_timecut0001.mp4, which the longer film begins with, is not there",
        ),
    ],
)
def test_lengths_that_cannot_be_are_refused(
    done: Callable[..., Done], cells: dict[str, str], spoilt: str | None, told: str
) -> None:
    before = done(video_length="0.1")
    if spoilt == "checkpoint":
        before.paths.checkpoint(CheckpointName(180, 360)).unlink()
    if spoilt == "timecut":
        before.paths.timecut(1).unlink()
    with pytest.raises(UsageError, match=told):
        before.submit(make_job("a", **cells))


def test_a_film_whose_manifest_is_gone_is_made_longer(
    store: Store, done: Callable[..., Done]
) -> None:
    before = done(video_length="0.1")
    before.paths.manifest.unlink()
    assert before.submit(make_job("a", video_length="0.2")).action is Action.LENGTHEN


def test_a_film_of_which_nothing_tells_is_not_called_longer_than_it_is(
    workspace: Workspace, store: Store, done: Callable[..., Done]
) -> None:
    before = done(video_length="0.1")
    encode(before.paths.film(), frames=5)
    before.paths.manifest.unlink()
    before.paths.job_file.write_text("{")
    entry = before.submit(make_job("a", video_length="0.2"))
    assert "a.mp4 has 5 frames, and this row asks for 720" in entry.failure
    assert states(store) == {"a": "failed"}

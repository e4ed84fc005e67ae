from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from jobs.errors import NewerVersion, UsageError
from jobs.workspace.jobfile import VERSION, JobFile
from jobs.workspace.paths import Workspace
from jobs.workspace.states import State
from jobs.workspace.store import Store
from multitrain.farm.entries import Action
from multitrain.farm.submission import submit
from tests.farm.done_job import Done, notes, states
from tests.farm.simulation import make_job


def test_what_is_done_stays_and_what_is_not_goes_on(workspace: Workspace, store: Store) -> None:
    jobs = [make_job(name) for name in ("new", "ran", "rendered", "finished", "gave_up")]
    submit(workspace, store, jobs)
    ways = {
        "ran": [State.RUNNING],
        "rendered": [State.RUNNING, State.RENDERING],
        "finished": [State.RUNNING, State.RENDERING, State.DONE],
        "gave_up": [State.RUNNING, State.FAILED],
    }
    for name, way in ways.items():
        for state in way:
            store.transition(name, state, attempts=3)
    submit(workspace, store, jobs)
    assert states(store) == {
        "new": "queued",
        "ran": "queued",
        "rendered": "queued",  # its trainer finds that all is trained, or what was lost
        "finished": "done",
        "gave_up": "queued",
    }
    by_name = {row.name: row for row in store.jobs()}
    assert [by_name[name].attempts for name in ("gave_up", "ran")] == [0, 0]


def test_new_jobs_are_not_looked_into_one_by_one(
    workspace: Workspace, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sheet may have thousands of them."""
    jobs = [make_job(name) for name in ("new", "newer")]
    monkeypatch.setattr("multitrain.farm.submission_plan._decide", None)
    for fresh in ((), ("new",)):
        entries = submit(workspace, store, jobs, fresh)
        assert [entry.action for entry in entries] == [Action.BEGIN, Action.BEGIN]


def test_a_film_that_is_gone_is_told_and_not_made_again(workspace: Workspace, store: Store) -> None:
    submit(workspace, store, [make_job("a")])
    for state in (State.RUNNING, State.RENDERING, State.DONE):
        store.transition("a", state, attempts=1)
    (note,) = notes(submit(workspace, store, [make_job("a")]))
    assert "a is done, but" in note
    assert "--fresh a" in note
    assert states(store) == {"a": "done"}


def test_a_job_that_has_not_begun_may_change(workspace: Workspace, store: Store) -> None:
    submit(workspace, store, [make_job("a", video_length="1")])
    assert notes(submit(workspace, store, [make_job("a", video_length="2")])) == []
    row = store.job("a")
    assert row is not None
    assert row.frames_total == 7200


def test_a_job_whose_pictures_were_looked_at_ahead_may_change(
    workspace: Workspace, store: Store
) -> None:
    make_job("a", seed="1").save(workspace.job("a"))
    assert notes(submit(workspace, store, [make_job("a", seed="2")])) == []


def test_a_film_keeps_the_settings_it_was_made_with(workspace: Workspace, store: Store) -> None:
    made, paths = make_job("a"), workspace.job("a")
    paths.manifest.parent.mkdir()
    size = {"width": made.plan.frame_width, "height": made.plan.frame_height}
    paths.manifest.write_text(json.dumps({"spec": made.spec.model_dump(mode="json"), **size}))
    submit(workspace, store, [made])
    with pytest.raises(UsageError, match=r"grid_width was 2, is now 3"):
        submit(workspace, store, [make_job("a", grid_width="3")])


def test_other_settings_are_refused_by_column_and_nothing_is_changed(
    workspace: Workspace, store: Store
) -> None:
    make_job("a").save(workspace.job("a"))
    workspace.job("a").log.touch()
    changed = make_job("a", learning_rate_g="0.001", activation_g="relu,elu", retries="9")
    with pytest.raises(UsageError) as caught:
        submit(workspace, store, [make_job("b"), changed])
    assert "learning_rate_g was 0.0002, is now 0.001" in str(caught.value)
    assert "activation_g was relu, is now relu,elu" in str(caught.value)
    assert "retries" not in str(caught.value)
    assert "--fresh a" in str(caught.value)
    assert states(store) == {}


def test_a_film_without_a_store_counts_as_done(workspace: Workspace, store: Store) -> None:
    paths = workspace.job("a")
    paths.manifest.parent.mkdir()
    paths.manifest.write_text("{}")
    submit(workspace, store, [make_job("a")])
    assert states(store) == {"a": "done"}


def test_films_of_which_nobody_knows_anything_are_not_replaced(
    workspace: Workspace, store: Store
) -> None:
    paths = workspace.job("a")
    paths.film().parent.mkdir()
    paths.film().write_text("of somewhere else")
    (entry,) = submit(workspace, store, [make_job("a")])
    assert entry.action is Action.START_OVER
    assert paths.film() == workspace.next / "a" / "a.mp4"
    assert (workspace.renders / "a.mp4").read_text() == "of somewhere else"


def test_a_job_file_that_a_power_cut_has_emptied_is_written_anew(
    workspace: Workspace, store: Store
) -> None:
    """Its trainer had just begun: nothing rests on those settings, others may come."""
    paths = workspace.job("a")
    make_job("a", seed="1").save(paths)
    paths.log.touch()
    paths.job_file.write_bytes(b"")
    assert notes(submit(workspace, store, [make_job("a", seed="2")])) == []
    assert states(store) == {"a": "queued"}


# --- files that are damaged -----------------------------------------------------------------------


def test_a_job_file_that_is_damaged_concerns_that_job_alone(
    workspace: Workspace, store: Store
) -> None:
    jobs = [make_job("a"), make_job("b")]
    submit(workspace, store, jobs)
    for job in jobs:
        paths = workspace.job(job.spec.name)
        job.save(paths)
        paths.segments.mkdir()
        paths.job_file.write_text("spec: [")
    fits, unfit = next(jobs[0].plan.batches()), "000000000-000000007"
    workspace.job("a").segment(fits).touch()
    (workspace.job("b").segments / f"{unfit}.mp4").touch()
    a, b = submit(workspace, store, jobs)
    assert (a.action, b.action) == (Action.GO_ON, Action.FAIL)
    assert "was damaged; it is written anew from the sheet" in a.notes[0]
    assert JobFile.read(workspace.job("a")) == jobs[0]
    assert "hold frames of other settings" in b.failure
    assert states(store) == {"a": "queued", "b": "failed"}


def test_a_job_of_a_newer_version_is_refused(workspace: Workspace, store: Store) -> None:
    job, paths = make_job("a"), workspace.job("a")
    job.save(paths)
    paths.log.touch()
    newer = paths.job_file.read_text().replace(f"version: {VERSION}", "version: 99\nnew_column: 1")
    paths.job_file.write_text(newer)
    with pytest.raises(NewerVersion, match="newer version of multitrain"):
        submit(workspace, store, [job])
    assert paths.job_file.read_text() == newer


@pytest.mark.parametrize(
    "settled", [[[91, 0, []]], [[-5, 1, []]], [[10**11, 1, []]], [[90, 9, []], [80, 9, []]]]
)
def test_stretches_that_cannot_be_are_damage(
    workspace: Workspace, store: Store, settled: list[object]
) -> None:
    job, paths = make_job("a"), workspace.job("a")
    job.save(paths)
    paths.log.touch()
    text = paths.job_file.read_text().replace("settled: []", f"settled: {json.dumps(settled)}")
    paths.job_file.write_text(text)
    (entry,) = submit(workspace, store, [job])
    assert "was damaged" in entry.notes[0]


def test_moves_that_cannot_be_finished_concern_that_job_alone(
    workspace: Workspace, store: Store, done: Callable[..., Done]
) -> None:
    before = done()
    before.paths.moves.write_text("{")
    a, b = submit(workspace, store, [before.job, make_job("b")])
    assert "is damaged: it told which files of a" in a.failure
    assert b.action is Action.BEGIN
    assert states(store) == {"a": "failed", "b": "queued"}

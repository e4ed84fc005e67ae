from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from simulation import make_job

from jobs.errors import UsageError
from jobs.outputs import loop_files
from jobs.paths import CheckpointName, Workspace
from jobs.states import State
from jobs.store import Store
from multitrain import submission
from multitrain.submission import submit


@pytest.fixture
def store(workspace: Workspace) -> Iterator[Store]:
    store = Store(workspace.store)
    yield store
    store.close()


def states(store: Store) -> dict[str, str]:
    return {row.name: str(row.state) for row in store.jobs()}


def test_what_is_done_stays_and_what_is_not_goes_on(workspace: Workspace, store: Store) -> None:
    jobs = [make_job(name) for name in ("new", "ran", "rendered", "finished", "gave_up")]
    submit(workspace, store, jobs, fresh=False)
    ways = {
        "ran": [State.RUNNING],
        "rendered": [State.RUNNING, State.RENDERING],
        "finished": [State.RUNNING, State.RENDERING, State.DONE],
        "gave_up": [State.RUNNING, State.FAILED],
    }
    for name, way in ways.items():
        for state in way:
            store.transition(name, state, attempts=3)
    submit(workspace, store, jobs, fresh=False)
    assert states(store) == {
        "new": "queued",
        "ran": "queued",
        "rendered": "queued",  # its trainer finds that all is trained, or what was lost
        "finished": "done",
        "gave_up": "queued",
    }
    by_name = {row.name: row for row in store.jobs()}
    assert [by_name[name].attempts for name in ("gave_up", "ran")] == [0, 0]


def test_a_film_that_is_gone_is_told_and_not_made_again(workspace: Workspace, store: Store) -> None:
    submit(workspace, store, [make_job("a")], fresh=False)
    for state in (State.RUNNING, State.RENDERING, State.DONE):
        store.transition("a", state, attempts=1)
    (note,) = submit(workspace, store, [make_job("a")], fresh=False)
    assert "a is done, but" in note
    assert "--fresh" in note
    assert states(store) == {"a": "done"}


def test_a_job_that_has_not_begun_may_change(workspace: Workspace, store: Store) -> None:
    submit(workspace, store, [make_job("a", video_length="1")], fresh=False)
    assert submit(workspace, store, [make_job("a", video_length="2")], fresh=False) == []
    row = store.job("a")
    assert row is not None
    assert row.frames_total == 7200


def test_a_job_whose_pictures_were_looked_at_ahead_may_change(
    workspace: Workspace, store: Store
) -> None:
    make_job("a", seed="1").save(workspace.job("a"))
    assert submit(workspace, store, [make_job("a", seed="2")], fresh=False) == []


def test_a_film_keeps_the_settings_it_was_made_with(workspace: Workspace, store: Store) -> None:
    made, paths = make_job("a"), workspace.job("a")
    paths.manifest.parent.mkdir()
    size = {"width": made.plan.frame_width, "height": made.plan.frame_height}
    paths.manifest.write_text(json.dumps({"spec": made.spec.model_dump(mode="json"), **size}))
    submit(workspace, store, [made], fresh=False)
    with pytest.raises(UsageError, match=r"grid_width was 2, is now 3"):
        submit(workspace, store, [make_job("a", grid_width="3")], fresh=False)


def test_other_settings_are_refused_by_column_and_nothing_is_changed(
    workspace: Workspace, store: Store
) -> None:
    make_job("a").save(workspace.job("a"))
    workspace.job("a").log.touch()
    changed = make_job("a", learning_rate_g="0.001", activation_g="relu,elu", retries="9")
    with pytest.raises(UsageError) as caught:
        submit(workspace, store, [make_job("b"), changed], fresh=False)
    assert "learning_rate_g was 0.0002, is now 0.001" in str(caught.value)
    assert "activation_g was relu, is now relu,elu" in str(caught.value)
    assert "retries" not in str(caught.value)
    assert "--fresh" in str(caught.value)
    assert states(store) == {}


def test_fresh_removes_what_the_job_made_and_nothing_else(
    workspace: Workspace, store: Store
) -> None:
    jobs = [make_job("a", seed="1")]
    submit(workspace, store, jobs, fresh=False)
    paths = workspace.job("a")
    jobs[0].save(paths)
    mine = [paths.film(), paths.film(2), paths.timecut(1), paths.timecut(2, 3), paths.manifest]
    mine += [paths.film(None, ".mov"), paths.timecut(1, 2, ".mov")]
    others = [workspace.job("a_2").film(), workspace.job("ab").timecut(1)]
    for path in mine + others:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    submit(workspace, store, [make_job("a", seed="2")], fresh=True)
    assert not any(path.exists() for path in [*mine, paths.run])
    assert all(path.exists() for path in others)
    assert states(store) == {"a": "queued"}


@pytest.mark.parametrize("begun", [True, False])
@pytest.mark.parametrize("removals", range(8))
def test_fresh_that_is_killed_never_leaves_half_a_job(
    workspace: Workspace,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    begun: bool,
    removals: int,
) -> None:
    """Whatever was removed when the power went: nothing is left, or the job is as it was."""
    paths = workspace.job("a")
    if begun:
        make_job("a", seed="1").save(paths)
        paths.checkpoints.mkdir()
        paths.checkpoint(CheckpointName(5, 10)).touch()
    outputs = [paths.timecut(1), paths.timecut(2), paths.film(), paths.manifest]
    for path in outputs:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    left = removals

    def count_down(*_: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt

    for owner, name in (
        (submission.os, "replace"),
        (submission.shutil, "rmtree"),
        (Path, "unlink"),
    ):
        real = getattr(owner, name)
        counted = lambda *a, real=real, **k: (count_down(), real(*a, **k))  # noqa: E731
        monkeypatch.setattr(owner, name, counted)
    with suppress(KeyboardInterrupt):
        submit(workspace, store, [make_job("a", seed="2")], fresh=True)
    monkeypatch.undo()

    as_it_was = paths.job_file.exists() and paths.checkpoint_names()
    if as_it_was or (not begun and not paths.removed.exists() and paths.manifest.exists()):
        assert all(path.exists() for path in outputs)
        return
    assert submit(workspace, store, [make_job("a", seed="2")], fresh=False) == []
    assert states(store) == {"a": "queued"}
    assert not any(path.exists() for path in [*outputs, paths.run, paths.removed])


def test_a_film_without_a_store_counts_as_done(workspace: Workspace, store: Store) -> None:
    paths = workspace.job("a")
    paths.manifest.parent.mkdir()
    paths.manifest.write_text("{}")
    submit(workspace, store, [make_job("a")], fresh=False)
    assert states(store) == {"a": "done"}


def test_a_job_file_that_a_power_cut_has_emptied_is_written_anew(
    workspace: Workspace, store: Store
) -> None:
    """Its trainer had just begun: nothing rests on those settings, others may come."""
    paths = workspace.job("a")
    make_job("a", seed="1").save(paths)
    paths.log.touch()
    paths.job_file.write_bytes(b"")
    assert submit(workspace, store, [make_job("a", seed="2")], fresh=False) == []
    assert states(store) == {"a": "queued"}


def test_loops_that_are_asked_for_too_late_are_told(workspace: Workspace, store: Store) -> None:
    job = make_job("a", loops="pingpong(frames=8)")
    submit(workspace, store, [job], fresh=False)
    paths = workspace.job("a")
    for state in (State.RUNNING, State.RENDERING, State.DONE):
        store.transition("a", state, attempts=1)
    workspace.renders.mkdir()
    paths.film().touch()
    (pingpong,) = loop_files(job.spec, job.plan)
    paths.manifest.write_text(json.dumps({"made_of_the_film": [{"made": str(pingpong)}]}))
    assert submit(workspace, store, [job], fresh=False) == []
    more = make_job("a", loops="pingpong(frames=8), walk(frames=9)")
    (note,) = submit(workspace, store, [more], fresh=False)
    assert "a is done, without walk(frames=9); `multitrain walk a` can still make" in note
    other = make_job("a", loops="pingpong(frames=10)")
    (note,) = submit(workspace, store, [other], fresh=False)
    assert "without pingpong(frames=10); `multitrain loop a`" in note

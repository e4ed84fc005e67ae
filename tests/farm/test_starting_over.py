"""Jobs that begin anew: what they have made keeps its place, or is kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jobs.errors import UsageError
from jobs.workspace.files import remove
from jobs.workspace.paths import Workspace
from jobs.workspace.store import Store
from multitrain.farm.entries import Action
from multitrain.farm.submission import submit
from render.films.replacing import put_in_place
from tests.farm.done_job import Done, states
from tests.farm.simulation import make_job


def test_fresh_names_jobs(workspace: Workspace, store: Store, done: Callable[..., Done]) -> None:
    done()
    jobs = [make_job("a"), make_job("b")]
    for wrong, told in ((("",), r"a \(5 files\)"), (("c",), "no such job"), (("A",), "mean 'a'")):
        with pytest.raises(UsageError, match=told):
            submit(workspace, store, jobs, wrong)
    assert [entry.action for entry in submit(workspace, store, jobs, ["a"])] == [
        Action.START_OVER,
        Action.BEGIN,
    ]


def test_a_job_that_starts_over_keeps_its_film_in_place_until_the_new_one_is_there(
    workspace: Workspace, store: Store, done: Callable[..., Done]
) -> None:
    before = done(seed="1")
    paths, old = before.paths, before.files(workspace.renders)
    assert before.submit(make_job("a", seed="2"), "all").action is Action.START_OVER
    assert before.files(workspace.renders) == old
    assert states(store) == {"a": "queued"}
    assert paths.film() == workspace.next / "a" / "a.mp4"
    assert not paths.checkpoint_names()
    assert not paths.is_done
    for path in (paths.film(), paths.timecut(1)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("new")
    put_in_place(paths)
    assert before.files(workspace.renders) == {"a.mp4": "new", "a_timecut0001.mp4": "new"}
    assert before.files(workspace.earlier / "a-1") == old
    assert (workspace.earlier_runs / "a-1" / "checkpoints").exists()
    assert not workspace.next.exists()
    put_in_place(paths)  # nothing more
    assert before.files(workspace.earlier / "a-1") == old


def test_a_take_in_the_making_that_starts_over_is_kept_as_well(
    workspace: Workspace, done: Callable[..., Done]
) -> None:
    before = done(seed="1")
    old = before.files(workspace.renders)
    before.submit(make_job("a", seed="2"), "a")
    cut = before.paths.timecut(1)
    cut.parent.mkdir(parents=True)
    cut.write_text("second")
    before.submit(make_job("a", seed="3"), "a")
    assert before.files(workspace.renders) == old
    assert before.files(workspace.earlier / "a-2") == {"a_timecut0001.mp4": "second"}
    assert not (workspace.earlier_runs / "a-2" / "replaces.json").exists()
    assert before.paths.outputs == workspace.next / "a"


def test_what_lies_where_new_outputs_are_to_appear_is_set_aside(
    workspace: Workspace, done: Callable[..., Done]
) -> None:
    """Somebody has deleted runs/ while a later take was made: nobody knows whose these are."""
    before = done(seed="1")
    stale = workspace.next / "a" / "a_timecut0001.mp4"
    stale.parent.mkdir(parents=True)
    stale.write_text("of seed 2")
    before.submit(make_job("a", seed="3"), "a")
    assert not stale.exists()
    assert before.files(workspace.earlier / "a-2") == {stale.name: "of seed 2"}


def test_takes_without_a_run_folder_have_numbers_of_their_own(
    workspace: Workspace, done: Callable[..., Done]
) -> None:
    before = done(seed="1")
    remove(before.paths.run)
    before.submit(make_job("a", seed="2"), "a")
    cut = before.paths.timecut(1)
    cut.parent.mkdir(parents=True)
    cut.write_text("of seed 2")
    before.paths.log.touch()
    before.submit(make_job("a", seed="3"), "a")
    assert before.files(workspace.earlier / "a-2") == {cut.name: "of seed 2"}
    before.paths.film().parent.mkdir(exist_ok=True)
    before.paths.film().write_text("of seed 3")
    put_in_place(before.paths)
    assert before.files(workspace.renders) == {"a.mp4": "of seed 3"}
    assert "a_timecut0001.mp4" in before.files(workspace.earlier / "a-1")


def test_what_the_version_before_was_about_to_remove_is_kept_once(
    workspace: Workspace, store: Store, done: Callable[..., Done]
) -> None:
    before = done(seed="1")
    before.paths.run.rename(before.paths.removed)
    assert before.submit(make_job("a", seed="2")).action is Action.START_OVER
    assert not before.paths.removed.exists()
    assert before.submit(make_job("a", seed="2")).action is not Action.START_OVER


def test_the_same_command_given_again_goes_on_with_what_it_has_begun(
    workspace: Workspace, store: Store, done: Callable[..., Done]
) -> None:
    """A night that started over was cut off: its work is not set aside."""
    before = done(seed="1")
    second = make_job("a", seed="2")
    before.submit(second, "a")
    second.save(before.paths)
    before.paths.log.touch()
    entry = before.submit(second, "a")
    assert entry.action is Action.GO_ON
    assert "has started over already, and goes on" in entry.notes[0]
    assert before.submit(make_job("a", seed="3"), "a").action is Action.START_OVER

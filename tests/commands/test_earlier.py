"""`multitrain earlier`, and how `run` and `check` tell of films that others take the place of."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jobs.workspace.paths import Workspace
from jobs.workspace.store import Store
from multitrain.commands.cli import commands
from multitrain.commands.estimate import bytes_to_be_kept
from multitrain.farm.submission import submit
from multitrain.farm.submission_plan import plan_submission
from render.films.earlier import earlier_bytes
from render.films.replacing import put_in_place
from tests.disk import earlier_scenes


@pytest.fixture
def replaced(workspace: Workspace) -> Workspace:
    """The job's second film lies in the place of the first."""
    earlier_scenes.done(workspace)
    earlier_scenes.start_over(workspace)
    return workspace


def earlier(workspace: Workspace, *arguments: str, answer: str = "") -> Result:
    call = ["earlier", *arguments, "--workspace", str(workspace.root)]
    return CliRunner().invoke(commands, call, input=answer, standalone_mode=False)


def film(folder: Path) -> str:
    return (folder / "job.mp4").read_text()


def test_what_was_replaced_is_listed_with_its_size(replaced: Workspace) -> None:
    said = earlier(replaced).output
    assert "job-1" in said
    assert "--restore JOB puts one back" in said
    (told,) = json.loads(earlier(replaced, "--json").output)
    assert (told["job"], told["name"], told["in_place"]) == ("job", "job-1", False)
    assert told["bytes"] > 0
    assert str(replaced.earlier / "job-1" / "job.mp4") in told["files"]


def test_a_film_is_restored_and_the_other_one_kept(replaced: Workspace) -> None:
    assert "job-1 is back" in earlier(replaced, "--restore", "job").output
    assert film(replaced.renders) == "the first job.mp4"
    assert film(replaced.earlier / "job-2") == "the second film"
    with closing(Store(replaced.store)) as store:
        assert [str(row.state) for row in store.jobs()] == ["done"]
    assert "job-2 is back" in earlier(replaced, "--restore", "job-2").output
    assert film(replaced.renders) == "the second film"


def test_a_take_in_the_making_is_given_up_where_the_earlier_one_is_restored(
    workspace: Workspace,
) -> None:
    earlier_scenes.done(workspace)
    with closing(Store(workspace.store)) as store:
        submit(workspace, store, [earlier_scenes.a_job(seed=2)], ["job"])
    assert "still is in its place" in str(earlier(workspace, "--drop", "job").exception)
    paths = workspace.job("job")
    paths.film().parent.mkdir(parents=True)
    paths.film().write_text("half a film")
    earlier(workspace, "--restore", "job")
    assert film(workspace.renders) == "the first job.mp4"
    assert film(workspace.earlier / "job-2") == "half a film"
    assert paths.is_done
    put_in_place(paths)
    assert film(workspace.renders) == "the first job.mp4"


@pytest.mark.parametrize(
    ("changed", "fresh"), [({"seed": 2}, ["job"]), ({"video_length": 8 / 3600}, [])]
)
def test_check_tells_how_much_will_be_kept(
    workspace: Workspace, changed: dict[str, object], fresh: list[str]
) -> None:
    earlier_scenes.done(workspace)
    paths, job = workspace.job("job"), earlier_scenes.a_job(**changed)
    old = paths.checkpoint(paths.checkpoint_names()[0])

    def to_be_kept(fresh: list[str]) -> int:
        with closing(Store(workspace.store)) as store:
            entries = plan_submission(workspace, store.jobs(), [job], fresh)
        return bytes_to_be_kept(workspace, entries)

    before = to_be_kept(fresh)
    with closing(Store(workspace.store)) as store:
        submit(workspace, store, [job], fresh)
    job.save(paths)
    in_between = earlier_bytes(workspace) + to_be_kept([])
    old.unlink(missing_ok=True)  # a newer one is there
    paths.film().parent.mkdir(parents=True, exist_ok=True)
    paths.film().write_text("the second film")
    put_in_place(paths)
    assert before == earlier_bytes(workspace) > len("the first job.mp4")
    assert in_between == before - (0 if fresh else len(f"the first {old.name}"))  # still in use


@pytest.mark.parametrize(("answer", "stays"), [("n\n", True), ("", True), ("y\n", False)])
def test_only_who_says_so_deletes(replaced: Workspace, answer: str, stays: bool) -> None:
    said = earlier(replaced, "--drop", "job", answer=answer)
    assert (replaced.earlier / "job-1").exists() is stays
    assert (replaced.earlier_runs / "job-1").exists() is stays
    assert ("free again" in said.output) is not stays
    assert film(replaced.renders) == "the second film"


def test_wrong_names_are_told(replaced: Workspace) -> None:
    told = str(earlier(replaced, "--drop", "jib").exception)
    assert told == "there is no earlier film of 'jib'; did you mean 'job'?"
    assert "not both" in str(earlier(replaced, "--drop", "job", "--restore", "job").exception)

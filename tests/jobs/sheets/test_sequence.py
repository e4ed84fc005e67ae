"""Jobs that start when others are done."""

from __future__ import annotations

from contextlib import closing

from jobs.sheets.sequence import sequence_mistakes
from jobs.workspace.paths import Workspace
from jobs.workspace.store import Store
from tests.farm.simulation import make_job


def mistakes(workspace: Workspace, **after: str) -> dict[str, str]:
    """What is wrong with jobs that come after those named, by job."""
    jobs = [make_job(name, after=others) for name, others in after.items()]
    found = zip(after, sequence_mistakes(jobs, workspace), strict=True)
    return {name: reasons["after"] for name, reasons in found if reasons}


def test_a_job_may_come_after_any_other_of_its_sheet(workspace: Workspace) -> None:
    assert mistakes(workspace, a="", b="a, d", c="b", d="a") == {}


def test_a_job_that_is_not_here_is_told(workspace: Workspace) -> None:
    found = mistakes(workspace, waves="", b="wavs")
    assert found == {"b": "there is no job 'wavs' here; did you mean 'waves'?"}


def test_jobs_of_other_sheets_count_begun_or_not(workspace: Workspace) -> None:
    workspace.job("begun").run.mkdir(parents=True)
    with closing(Store(workspace.store)) as store:
        store.add([("queued", 1)])
    assert mistakes(workspace, a="begun, queued") == {}


def test_a_job_after_itself(workspace: Workspace) -> None:
    assert mistakes(workspace, a="a", b="a") == {"a": "a job cannot come after itself"}


def test_every_circle_is_told_at_each_of_its_jobs(workspace: Workspace) -> None:
    found = mistakes(workspace, a="b", b="c", c="a", x="y", y="x", z="x")
    assert found.keys() == {"a", "b", "c", "x", "y"}
    assert found["x"].startswith("these jobs wait for each other: ")
    assert sorted(found["x"].partition(": ")[2].split(", which waits for ")) in (
        ["x", "x", "y"],
        ["x", "y", "y"],
    )


def test_the_job_that_one_starts_from_counts_as_well(workspace: Workspace) -> None:
    jobs = [make_job("a", after="b"), make_job("b", init_from="a")]
    first, second = sequence_mistakes(jobs, workspace)
    assert first["after"] == (
        "these jobs wait for each other: a, which waits for b, which waits for a"
    )
    assert second == {}

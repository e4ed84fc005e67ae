"""Which jobs another one comes from."""

from __future__ import annotations

from collections.abc import Callable

from jobs.settings.spec import JobSpec
from jobs.tinkering.ancestry import ancestors
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace

TinyJob = Callable[..., JobFile]


def begun(workspace: Workspace, tiny_job: TinyJob, name: str, **origins: str) -> JobSpec:
    job = tiny_job(name=name, **origins)
    workspace.job(name).run.mkdir(parents=True)
    job.save(workspace.job(name))
    return job.spec


def test_they_are_found_over_several_generations(workspace: Workspace, tiny_job: TinyJob) -> None:
    begun(workspace, tiny_job, "first")
    begun(workspace, tiny_job, "second", init_from="first")
    begun(workspace, tiny_job, "other", init_from="/elsewhere/weights.h5")
    child = begun(workspace, tiny_job, "child", interpolate_a="second", interpolate_b="other")

    assert ancestors(child, workspace) == {
        "child", "second", "first", "other", "/elsewhere/weights.h5"
    }  # fmt: skip


def test_one_that_was_removed_is_still_an_ancestor(workspace: Workspace, tiny_job: TinyJob) -> None:
    child = begun(workspace, tiny_job, "child", init_from="gone")
    assert ancestors(child, workspace) == {"child", "gone"}


def test_jobs_that_name_each_other_do_not_hang(workspace: Workspace, tiny_job: TinyJob) -> None:
    begun(workspace, tiny_job, "one", init_from="two")
    two = begun(workspace, tiny_job, "two", init_from="one")
    assert ancestors(two, workspace) == {"one", "two"}

"""`job.yaml` and power cuts: it is on the disk before anything that rests on it is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.errors import MultitrainError
from jobs.workspace.files import part_of
from jobs.workspace.glance import Glance, glance
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace

MakeJob = Callable[..., JobFile]


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """The files and folders that are brought to the disk, by the names that they have then."""
    paths: list[Path] = []
    real = os.open

    def note(path: Path, flags: int, *rest: int, **named: int) -> int:
        descriptor = real(path, flags, *rest, **named)
        opened[descriptor] = Path(path)
        return descriptor

    opened: dict[int, Path] = {}
    monkeypatch.setattr(os, "open", note)
    monkeypatch.setattr(os, "fsync", lambda descriptor: paths.append(opened[descriptor]))
    return paths


def test_a_new_one_is_flushed_when_it_is_loaded(
    workspace: Workspace, tiny_job: MakeJob, flushed: list[Path]
) -> None:
    job, paths = tiny_job(), workspace.job("tiny")
    job.save(paths)
    assert flushed == []
    assert JobFile.read(paths) == job
    assert flushed == []
    assert JobFile.load(paths) == job
    assert flushed == [paths.job_file, paths.run, workspace.runs]


def test_one_that_takes_anothers_place_is_flushed_before(
    workspace: Workspace, tiny_job: MakeJob, flushed: list[Path]
) -> None:
    paths = workspace.job("tiny")
    tiny_job(retries=1).save(paths)
    tiny_job(retries=2).save(paths)
    assert flushed == [part_of(paths.job_file), paths.run]
    tiny_job(retries=2).save(paths)
    assert len(flushed) == 2, "it stands there already"


@pytest.mark.parametrize("left", [b"", bytes(794)])
def test_what_a_power_cut_leaves_of_a_new_one_counts_as_none(
    workspace: Workspace, tiny_job: MakeJob, left: bytes
) -> None:
    job, paths = tiny_job(), workspace.job("tiny")
    job.save(paths)
    paths.job_file.write_bytes(left)
    assert JobFile.read(paths) is None
    assert JobFile.load(paths) is None
    job.save(paths)
    assert JobFile.load(paths) == job


@pytest.mark.parametrize("damage", [b"spec: [", b"\xff\xfe", b"spec: 1"])
def test_one_that_is_damaged_is_told_of(
    workspace: Workspace, tiny_job: MakeJob, damage: bytes
) -> None:
    paths = workspace.job("tiny")
    tiny_job().save(paths)
    paths.job_file.write_bytes(damage)
    with pytest.raises(MultitrainError, match=r"job\.yaml is damaged"):
        JobFile.load(paths)


def test_a_disk_that_cannot_keep_it_is_for_others_to_tell(
    workspace: Workspace, tiny_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError

    job, paths = tiny_job(), workspace.job("tiny")
    job.save(paths)
    monkeypatch.setattr(os, "fsync", fail)
    assert JobFile.load(paths) == job


@pytest.mark.parametrize(
    ("columns", "may"),
    [
        ({}, False),
        ({"on_done": "echo\n  loops: null\n", "loops": "pingpong(frames=4)"}, True),
        ({"on_done": "x " * 60 + "\n\n  loops: pingpong\n"}, False),
        ({"format": "h265"}, False),
        ({"format": "h265,hap"}, True),
    ],
)
def test_a_file_tells_at_a_glance_whether_it_asks_for_more_than_a_film(
    columns: dict[str, object], may: bool, workspace: Workspace, tiny_job: MakeJob
) -> None:
    job, paths = tiny_job(fps=25, **columns), workspace.job("tiny")
    assert glance(paths) == Glance()
    job.save(paths)
    assert JobFile.read(paths) == job
    assert glance(paths) == Glance(fps=25, may_have_extras=may)
    if not columns:
        tiny_job(fps=25, validation="unseen").save(paths)
        assert glance(paths) == Glance(fps=25, is_measured=True)
    paths.job_file.write_bytes(b"\xff")
    assert glance(paths) == Glance()  # `read` tells what is wrong

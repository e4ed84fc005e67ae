"""Names of jobs and of other things in a workspace: no two that a file system may take for one."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from jobs.errors import SheetError
from jobs.sheets.sheet import read_sheet
from jobs.workspace.names import TakenNames
from jobs.workspace.paths import Workspace

HEADER = "name,dataset,grid_width,grid_height,video_length\n"


def mistakes(workspace: Workspace, *names: str) -> list[str]:
    sheet = workspace.root / "sheet.csv"
    sheet.write_text(HEADER + "".join(f"{name},demo,1,1,0.02\n" for name in names))
    try:
        read_sheet(sheet, workspace)
    except SheetError as error:
        return [each.reason for each in error.mistakes if each.column == "name"]
    return []


@pytest.mark.parametrize(
    "name",
    [
        "farm.sqlite", "farm.sqlite-journal", "farm.sqlite-wal", "Farm.SQLite-SHM", "farm.lock",
        "farm.sqlite.damaged-1", "render.log", "RENDER.alive", "earlier", "Next",
    ],
)  # fmt: skip
def test_names_that_the_workspace_uses_itself_are_refused(workspace: Workspace, name: str) -> None:
    (reason,) = mistakes(workspace, name)
    assert "the workspace needs itself" in reason


def test_every_path_of_a_workspace_is_out_of_reach_for_jobs(workspace: Workspace) -> None:
    """Also those that come to be: each begins with a dot, which no name may, or is refused."""
    taken = TakenNames(workspace)
    values = (getattr(workspace, name) for name in dir(workspace) if not name.startswith("_"))
    paths = [each for each in values if isinstance(each, Path)]
    beside_jobs = [each for each in paths if each.parent in (workspace.runs, workspace.renders)]
    assert len(beside_jobs) >= 7
    assert all(each.name.startswith(".") or taken.reason(each.name) for each in beside_jobs)


@pytest.mark.parametrize(
    "left",
    [
        "runs/Wéves/job.yaml", "renders/Wéves.json", "renders/Wéves.mp4",
        "renders/Wéves_timecut0001_box0002.mov", "renders/Wéves/frame_000000000.png",
        "renders/Wéves_loop0001.gif", "renders/Wéves.contact.jpg",
    ],
)  # fmt: skip
def test_jobs_of_other_sheets_that_differ_in_case_only_are_told(
    workspace: Workspace, left: str
) -> None:
    file = workspace.root / left
    file.parent.mkdir(parents=True)
    file.touch()
    for name in ("wéves", "WÉVES", unicodedata.normalize("NFD", "Wéves")):
        (reason,) = mistakes(workspace, name)
        assert "differs from 'Wéves', a job of this workspace, only in letter case" in reason
    assert mistakes(workspace, "Wéves", "waves") == []


def test_a_job_that_is_there_goes_on_beside_its_like(workspace: Workspace) -> None:
    """As a workspace of an earlier version may have them."""
    for name in ("waves", "Waves"):
        (workspace.runs / name).mkdir(parents=True)
    assert mistakes(workspace, "waves") == []
    assert mistakes(workspace, "Waves") == []
    assert len(mistakes(workspace, "WAVES")) == 1


@pytest.mark.parametrize(
    "name",
    [
        "waves_timecut0001", "waves_timecut0001_box0001", "waves_loop0001", "waves_box0001",
        "waves.hap", "waves.contact", "waves.gif", "waves.png", "waves.mp4", ".waves",
    ],
)  # fmt: skip
def test_names_that_an_output_of_another_job_may_have_are_refused(
    workspace: Workspace, name: str
) -> None:
    assert len(mistakes(workspace, name)) == 1

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.errors import UsageError
from jobs.workspace.files import listing
from jobs.workspace.paths import Workspace
from multitrain.datasets.made.making import new_data_set, new_folder


def test_it_is_there_whole_or_not_at_all(workspace: Workspace) -> None:
    with new_data_set(workspace, "one", "other") as folders:
        for folder in folders:
            (folder / "a.png").write_bytes(b"a")
        assert not workspace.dataset("one").exists()

    assert listing(workspace.data) == ["one", "other"]
    with pytest.raises(ZeroDivisionError), new_data_set(workspace, "broken") as (folder,):  # noqa: PT012
        (folder / "a.png").write_bytes(b"a")
        raise ZeroDivisionError
    assert listing(workspace.data) == ["one", "other"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("there", "is there already"),
        ("dangling", "is there already"),
        ("demo", "is the built-in data set"),
        ("a,b", "a sheet could not say it"),
        ("../x", "cannot stand in a file name"),
        ("", "cannot name a data set"),
    ],
)
def test_names_that_cannot_be(workspace: Workspace, name: str, reason: str) -> None:
    workspace.dataset("there").mkdir(parents=True)
    workspace.dataset("dangling").symlink_to("nowhere")

    with pytest.raises(UsageError, match=reason), new_data_set(workspace, name):
        raise AssertionError
    assert listing(workspace.data) == ["dangling", "there"]


def test_two_commands_never_make_the_same_one(tmp_path: Path) -> None:
    target = tmp_path / "same"
    with new_folder(target) as first:
        (first / "a.png").write_bytes(b"a")
        with pytest.raises(UsageError, match="being made by another command"), new_folder(target):
            raise AssertionError
        assert listing(first) == ["a.png"]
    assert listing(target) == ["a.png"]


def test_what_came_to_be_there_meanwhile_stays(tmp_path: Path) -> None:
    target = tmp_path / "same"
    with pytest.raises(UsageError, match="is there already"), new_folder(target):  # noqa: PT012
        target.mkdir()
        (target / "theirs").touch()
    assert listing(tmp_path) == ["same"]
    assert listing(target) == ["theirs"]


KILLED = """
import os, sys
from pathlib import Path
from multitrain.datasets.made.making import new_folder
with new_folder(Path(sys.argv[1])) as folder:
    (folder / "a.png").touch()
    os.kill(os.getpid(), 9)
"""


def test_what_a_kill_has_left_goes_with_the_next_command(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, tmp_path / "killed"], check=False)
    assert listing(tmp_path) == [".killed.part"]

    with new_folder(tmp_path / "next"):
        assert not (tmp_path / ".killed.part").exists()

    assert listing(tmp_path) == ["next"]


def test_a_full_disk_is_told_with_what_it_was_for(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"No space left on device: '.*whole'"):  # noqa: SIM117
        with new_folder(tmp_path / "whole"):
            raise OSError(28, os.strerror(28))

"""The command line: exit codes, messages for people, and nothing heavy on the way."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.workspace.paths import Workspace

HEADER = "name,dataset,grid_width,grid_height,video_length,auto_render_period,render_res"


def multitrain(workspace: Workspace, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "multitrain", *arguments],
        cwd=workspace.root,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def write(workspace: Workspace, *lines: str) -> None:
    (workspace.root / "sheet.csv").write_text("\n".join(lines) + "\n")


def test_check_tells_every_mistake_and_starts_nothing(workspace: Workspace) -> None:
    write(workspace, HEADER, "a,demo,three,2,1,,", "a,demo,2,2,1,,100x100", "b,demos,2,2,-1,,")
    result = multitrain(workspace, "check", "sheet.csv")
    assert result.returncode == 2
    lines = result.stderr.splitlines()
    assert lines[0] == (
        "sheet.csv:2: grid_width: must be a whole number of at least 1, not 'three'"
    )
    told = {tuple(line.split(": ")[:2]) for line in lines[1:]}
    assert told == {
        ("sheet.csv:3", "name"),
        ("sheet.csv:3", "render_res"),
        ("sheet.csv:4", "dataset"),
        ("sheet.csv:4", "video_length"),
    }
    assert not workspace.runs.exists()
    assert multitrain(workspace, "run", "sheet.csv").returncode == 2
    assert not workspace.runs.exists()


def test_check_tells_what_a_sheet_would_make(workspace: Workspace) -> None:
    write(workspace, HEADER, "a,demo,4,2,0.1,2,192x108", "b,demo,1,1,1,,")
    result = multitrain(workspace, "check", "sheet.csv")
    assert result.returncode == 0, result.stderr
    row = next(line for line in result.stdout.splitlines() if line.split()[:1] == ["a"]).split()
    assert row[1:8] == ["360", "180", "3.6", "0:06.0", "384x108", "2", "3"]
    assert not workspace.data.exists()


def test_short_commands_import_nothing_heavy(workspace: Workspace) -> None:
    write(workspace, HEADER, "a,demo,4,2,0.1,2,")
    (workspace.root / "empty").mkdir()
    script = (
        "import sys\n"
        "from multitrain.commands.cli import commands\n"
        "commands(sys.argv[1:], standalone_mode=False)\n"
        "heavy = {'tensorflow', 'keras', 'cv2', 'h5py', 'av'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert 'check' in sys.argv or 'numpy' not in sys.modules\n"  # pandas reads the sheet
    )
    for arguments in (["check", "sheet.csv"], ["status"], ["status", "--json"]):
        result = subprocess.run(
            [sys.executable, "-c", script, *arguments],
            cwd=workspace.root,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "nothing.csv"], "nothing.csv"),
        (["run", "sheet.csv", "--gpus", "cpu", "--slots", "0"], "--slots"),
        (["run", "sheet.csv", "--gpus", "cpu"], "gpus: more are asked for"),
        (["check"], "SHEET"),
        (["merge", "nowhere"], "nowhere"),
        (["run", "small.csv", "--gpus", "cpu", "--spool-gb", "nan"], "--spool-gb"),
        (["run", "small.csv", "--gpus", "cpu", "--spool-gb", "inf"], "--spool-gb"),
        (["unknown"], "unknown"),
        (["status", "--workspace", "nowhere"], "nowhere"),
        (["logs", "a", "--workspace", "nowhere"], "nowhere"),
        (["earlier", "--workspace", "nowhere"], "nowhere"),
    ],
)
def test_a_wrong_call_ends_with_two_and_a_sentence(
    workspace: Workspace, arguments: list[str], said: str
) -> None:
    write(workspace, f"{HEADER},gpus", "a,demo,8,8,0.1,2,,64")
    (workspace.root / "small.csv").write_text(f"{HEADER}\na,demo,1,1,0.1,,\n")
    result = multitrain(workspace, *arguments)
    assert result.returncode == 2, result.stdout
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert not workspace.renders.exists()


def test_warnings_go_to_stderr_and_do_not_stop(
    workspace: Workspace, make_pictures: Callable[..., list[Path]]
) -> None:
    paths = make_pictures(workspace.dataset("some"), count=5)
    paths[0].write_bytes(b"no picture")
    write(workspace, HEADER, "a,some,2,2,0.1,,")
    result = multitrain(workspace, "check", "sheet.csv")
    assert result.returncode == 0, result.stderr
    assert paths[0].name in result.stderr


def test_a_workspace_that_cannot_be_written_is_told_before_anything_starts(
    workspace: Workspace,
) -> None:
    write(workspace, HEADER, "a,demo,1,1,0.1,,")
    workspace.renders.touch()  # a file where the folder should be
    result = multitrain(workspace, "run", "sheet.csv", "--gpus", "cpu")
    assert result.returncode == 2
    assert "renders cannot be written" in result.stderr
    assert not workspace.store.exists()


@pytest.mark.parametrize("arguments", ["check sheet.csv", "status"])
def test_closed_outputs_are_no_reason_for_a_traceback(workspace: Workspace, arguments: str) -> None:
    write(workspace, HEADER, "a,demo,1,1,0.1,,")
    result = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -m multitrain {arguments} >&-'],
        cwd=workspace.root,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_a_terminal_that_lacks_a_character_gets_it_escaped(
    workspace: Workspace, encoding: str
) -> None:
    """The names of a sheet, of a path and of what is missing may hold every character."""
    for name, row in (("right", "東京,demo,1,1,0.1,,"), ("wrong", "東京,京,1,1,0.1,,")):
        text = f"{HEADER}\n{row}\n"
        (workspace.root / f"{name} Ω.csv").write_text(text, encoding="utf-8")
    codes = []
    for call in (["check", "right Ω.csv"], ["check", "wrong Ω.csv"], ["merge", "Ω"]):
        result = subprocess.run(
            [sys.executable, "-m", "multitrain", *call],
            cwd=workspace.root,
            env={**os.environ, "PYTHONIOENCODING": encoding},
            capture_output=True,
            timeout=60,
            check=False,
        )
        codes.append(result.returncode)
        said = (result.stdout + result.stderr).decode("ascii", errors="replace")
        assert "Traceback" not in said
        if encoding == "latin-1":  # click writes UTF-8 where it holds a terminal for mistaken
            assert "\\u" in said, said
    assert codes == [0, 2, 2]

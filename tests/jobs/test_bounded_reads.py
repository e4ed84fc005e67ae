"""Files that are none, and such without an end: read up to a bound, and told."""

from __future__ import annotations

import os
import socket
import sys
import threading
import tracemalloc
from pathlib import Path

import pytest

from jobs import reading
from jobs.errors import SheetError
from jobs.reading import DamagedText, read_bounded
from jobs.sheets.forms.cells import MOST_SHEET_BYTES
from jobs.sheets.sheet import read_sheet
from jobs.workspace.paths import Workspace

TEXT = b"name,dataset,grid_width,grid_height,video_length\na,demo,1,1,1\n"


def told(path: Path, workspace: Workspace) -> str:
    with pytest.raises(SheetError) as caught:
        read_sheet(path, workspace)
    return str(caught.value).removeprefix(f"{path}:").removeprefix("1:").strip()


@pytest.mark.skipif(sys.platform != "linux", reason="devices of Linux")
def test_devices_folders_and_sockets_are_told(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracemalloc.start()
    assert "has more than" in told(Path("/dev/zero"), workspace)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * MOST_SHEET_BYTES
    assert told(Path("/proc/self/mem"), workspace).startswith("the sheet cannot be opened: ")
    assert told(workspace.root, workspace) == "the sheet cannot be opened: is a directory"
    with socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(workspace.root)  # paths of sockets are short
        listening.bind("socket.csv")
        assert told(Path("socket.csv"), workspace).startswith("the sheet cannot be opened: ")


@pytest.mark.parametrize("name", ["a.csv", "a.yaml"])
@pytest.mark.parametrize(
    "piece", [b"a", b",", b"a\n", b"- a\n", b"- - a\n", b'"', b"[", b"ftp://a:"]
)
def test_endless_lines_are_told(workspace: Workspace, name: str, piece: bytes) -> None:
    path = workspace.root / name
    path.write_bytes(piece * (20_000 // len(piece)))
    assert told(path, workspace)


def test_a_pipe_serves_and_one_that_is_silent_is_given_up(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = workspace.root / "pipe.csv"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(TEXT))
    writer.start()
    assert [job.spec.name for job in read_sheet(pipe, workspace).jobs] == ["a"]
    writer.join()
    monkeypatch.setattr(reading, "PIPE_SECONDS", 0.05)
    assert "nothing came for 0.05 seconds" in told(pipe, workspace)


def test_files_are_read_up_to_a_bound(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read_bounded(path, 5) == b"12345"
    with pytest.raises(DamagedText, match="more than 4 bytes"):
        read_bounded(path, 4)

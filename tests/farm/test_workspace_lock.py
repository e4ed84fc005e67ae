"""One farm in a workspace, also where somebody removes or replaces the file of its lock."""

from __future__ import annotations

import fcntl
import io
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from rich.console import Console

from jobs.errors import WorkspaceBusy
from jobs.workspace.at_work import is_held
from jobs.workspace.locks import NotOurs
from jobs.workspace.paths import Workspace
from multitrain.commands.run.display import open_display
from multitrain.commands.run.loop import StopSignals
from multitrain.farm.workspace_lock import LOOKS, hold

# Another farm: takes the lock, tells so, looks at it whenever it is asked, then leaves.
FARM = """
import io, sys
from pathlib import Path
from rich.console import Console
from jobs.errors import WorkspaceBusy
from jobs.workspace.paths import Workspace
from multitrain.commands.run.display import open_display
from multitrain.commands.run.loop import StopSignals
from multitrain.farm import workspace_lock
if sys.argv[2:] == ["--no-locks-on-folders"]:
    from jobs.workspace import locks
    import os, stat
    def only_files(descriptor, real=locks.lock, **how):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(9, "Bad file descriptor")
        return real(descriptor, **how)
    locks.lock = only_files
display = open_display(Console(file=io.StringIO()))
try:
    place = Workspace(Path(sys.argv[1]))
    with StopSignals() as stop, workspace_lock.hold(place, display, stop) as lock:
        print("held", flush=True)
        while sys.stdin.readline():
            print(lock.look() or "ours", flush=True)
except WorkspaceBusy as busy:
    print(busy, flush=True)
"""


class Farm:
    def __init__(self, workspace: Workspace, *options: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", FARM, str(workspace.root), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._process.pid

    def hear(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def look(self) -> str:
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self.hear()

    def leave(self) -> None:
        self._process.communicate()


Begin = Callable[..., Farm]


@pytest.fixture
def begin(workspace: Workspace):
    begun: list[Farm] = []

    def begin(*options: str) -> Farm:
        begun.append(Farm(workspace, *options))
        return begun[-1]

    yield begin
    for farm in begun:
        farm.leave()


def remove(path: Path) -> None:
    path.unlink()


def replace(path: Path) -> None:
    path.unlink()
    path.write_text("")


def restore_from_a_copy(path: Path) -> None:
    """With the name of a farm that is no more."""
    path.unlink()
    path.write_text("999999999 2020-01-01 00:00:00")


@pytest.mark.parametrize("spoil", [remove, replace, restore_from_a_copy])
def test_a_second_farm_is_refused_whatever_became_of_the_file(
    workspace: Workspace, begin: Begin, spoil: Callable[[Path], None]
) -> None:
    first = begin()
    assert first.hear() == "held"
    spoil(workspace.lock)
    assert is_held(workspace)
    second = begin()  # before the first one has looked
    while first.look() != "ours" or workspace.lock.read_text().split()[:1] != [str(first.pid)]:
        pass
    assert f"is held by the farm with pid {first.pid}, running since" in second.hear()
    assert is_held(workspace)
    first.leave()
    assert not is_held(workspace)
    assert begin().hear() == "held"


@pytest.mark.parametrize("spoil", [remove, replace])
def test_where_folders_cannot_be_locked_the_file_is_made_anew_at_once(
    workspace: Workspace, begin: Begin, spoil: Callable[[Path], None]
) -> None:
    first = begin("--no-locks-on-folders")
    assert first.hear() == "held"
    spoil(workspace.lock)
    assert first.look() == "ours"
    second = begin("--no-locks-on-folders")
    assert f"is held by the farm with pid {first.pid}" in second.hear()


def test_where_folders_cannot_be_locked_who_finds_another_farm_gives_way(
    workspace: Workspace, begin: Begin
) -> None:
    first = begin("--no-locks-on-folders")
    assert first.hear() == "held"
    workspace.lock.unlink()
    second = begin("--no-locks-on-folders")
    assert second.hear() == "held"
    assert [first.look() for _ in range(LOOKS)] == ["ours"] * LOOKS
    assert first.look() == f"{workspace.lock} was removed, and another farm has begun here"
    assert second.look() == "ours"


def test_whoever_only_asks_is_no_farm(workspace: Workspace, held) -> None:
    with held() as lock:
        workspace.lock.unlink()
        with workspace.lock.open("w") as asks:
            fcntl.flock(asks, fcntl.LOCK_SH)
            assert lock.look() == ""
        assert lock.look() == ""
        assert workspace.lock.read_text().startswith(f"{os.getpid()} ")


@pytest.fixture
def held(workspace: Workspace):
    """`with held() as lock`: taken by this process, which waits for nobody."""
    with closing(open_display(Console(file=io.StringIO()))) as display, StopSignals() as stop:
        stop.requests = 1
        yield lambda: hold(workspace, display, stop)


def test_children_hold_it_too_also_when_its_file_is_gone(workspace: Workspace, held) -> None:
    with held() as lock:
        child = subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=lock.descriptors
        )
    workspace.lock.unlink()
    assert is_held(workspace)
    with pytest.raises(WorkspaceBusy, match="have not drained yet"), held():
        raise AssertionError
    child.communicate(b"\n")
    assert not is_held(workspace)


def test_a_link_in_its_place_is_not_followed(workspace: Workspace, tmp_path: Path, held) -> None:
    workspace.runs.mkdir()
    workspace.lock.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotOurs, match=r"farm\.lock is no plain file"), held():
        raise AssertionError
    assert not (tmp_path / "elsewhere").exists()
    assert not is_held(workspace)


def test_nothing_stays_open_where_there_are_no_locks(held, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    before = os.listdir("/dev/fd")
    with pytest.raises(OSError, match="No locks available"), held():
        raise AssertionError
    assert os.listdir("/dev/fd") == before

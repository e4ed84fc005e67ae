"""The lock on a workspace: one farm at a time, and the children that a farm has left behind.

Commands that no farm may disturb hold it as well.

It is on two things at once. `runs/farm.lock` also says who holds it, and may be removed by
one who takes it for a leftover; the folder `runs` cannot be, as long as there is a workspace. Where
the file was removed, the farm that holds the folder makes it anew. Some network disks lock no
folders: there, the farm that finds another one in its place has to give way.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Protocol

import psutil

from jobs.errors import WorkspaceBusy
from jobs.workspace import locks
from jobs.workspace.at_work import is_held, open_folder
from jobs.workspace.paths import Workspace

LOOKS = 4  # for so many, the holder of the file may be a process that only tests the lock
LOOK_SECONDS = 0.25
FARM = "farm"
COMMAND = "command"  # a short one: it is waited for
HANDOVER_SECONDS = 120.0  # how long the processes of a farm that died may take to drain


class Stop(Protocol):
    """Requests to stop: their number so far, and a sleep that a request ends."""

    @property
    def requests(self) -> int: ...

    def wait(self, seconds: float) -> None: ...


class WorkspaceLock:
    """Held as long as one of the `descriptors` is open, here or in a child that inherits them."""

    def __init__(self, workspace: Workspace, descriptors: tuple[int, ...], who: str) -> None:
        """`descriptors`: of the lock's file, and of the folder where that can be locked."""
        self.descriptors = descriptors
        self.since_ns = time.time_ns()  # unix nanoseconds
        self._path, self._who = workspace.lock, who
        self._refused = 0  # how many looks in a row found the file held by another process
        _sign(descriptors[0], who)

    def look(self) -> str:
        """Make the lock's file anew if it was removed; returns why another process prevents that.

        An empty text where the lock is held.
        """
        file = self.descriptors[0]
        try:
            if locks.is_at(self._path, file):
                return ""
            new = locks.take(self._path)
        except OSError:  # a disk that is away for a moment: at the next look
            return ""
        if new is None:
            self._refused += 1
            is_farm = self._refused > LOOKS
            return f"{self._path} was removed, and another farm has begun here" if is_farm else ""
        self._refused = 0
        os.dup2(new, file, inheritable=False)  # children to come inherit this number
        os.close(new)
        _sign(file, self._who)
        return ""


@contextmanager
def hold(
    workspace: Workspace, note: Callable[[str], None], stop: Stop, who: str = FARM
) -> Iterator[WorkspaceLock]:
    """The lock of a workspace.

    `note` gets a message where that takes waiting; `who` is the holder's name, for others to read.
    A farm that follows one that was killed waits for its trainers to drain, which hold the lock,
    too. WorkspaceBusy where the holder is alive, or `stop` comes first.
    """
    workspace.runs.mkdir(parents=True, exist_ok=True)
    lock = WorkspaceLock(workspace, _take_patiently(workspace, note, stop), who)
    try:
        yield lock
    finally:
        for descriptor in lock.descriptors:
            os.close(descriptor)


class Holder(NamedTuple):
    """The farm, or the command, that is at work in a workspace, as its lock file says."""

    pid: int  # 0 where it does not say
    since: str
    who: str = FARM


def holder(workspace: Workspace) -> Holder | None:
    """Who is at work here; None for nobody."""
    return _holder(workspace.lock) if is_held(workspace) else None


def _take_patiently(
    workspace: Workspace, note: Callable[[str], None], stop: Stop
) -> tuple[int, ...]:
    deadline = time.monotonic() + HANDOVER_SECONDS
    has_noted = False
    while (descriptors := _take(workspace)) is None:
        pid, since, who = _holder(workspace.lock)
        if _is_alive(pid) and (who != COMMAND or time.monotonic() > deadline):
            raise WorkspaceBusy(
                f"{workspace.root} is held by the {who} with pid {pid}, running since {since}; "
                "wait for it, stop it, or choose another --workspace."
            )
        if stop.requests or time.monotonic() > deadline:
            raise WorkspaceBusy(
                f"{workspace.root}: trainers of the farm that ended before (pid {pid}, running "
                f"since {since}) have not drained yet; run again in a while."
            )
        if (
            pid and not has_noted and who != COMMAND
        ):  # without a pid, a living farm has yet to make the file anew
            note("waiting for the trainers of the farm that ended before")
            has_noted = True
        stop.wait(LOOK_SECONDS)
    return descriptors


def _take(workspace: Workspace) -> tuple[int, ...] | None:
    """The descriptors of both locks; None where another process has one of them."""
    with ExitStack() as stack:
        folder = open_folder(workspace)
        stack.callback(os.close, folder)
        has_locks = True
        try:
            # A folder that was replaced since it was opened is not the one that others see.
            is_ours = locks.lock(folder) and _is_at(workspace.runs, folder)
        except OSError:  # a disk that locks no folders: the file has to do
            is_ours, has_locks = True, False
        file = locks.take(workspace.lock) if is_ours else None
        if file is None or not has_locks:
            return None if file is None else (file,)
        stack.pop_all()
        return file, folder


def _is_at(path: Path, folder: int) -> bool:
    return os.path.samestat(path.stat(), os.fstat(folder))  # `stat` follows a link to the folder


def _sign(descriptor: int, who: str) -> None:
    """Write who holds the lock and since when, for people. A full disk does not matter."""
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()} {since}\n{who}".encode(), 0)


def _holder(path: Path) -> Holder:
    """Who has signed the file, and since when; pid 0 for nobody."""
    text = ""
    with suppress(OSError):
        text = path.read_text(encoding="utf-8", errors="replace")[:100]
    first, _, who = text.partition("\n")
    pid, _, since = first.partition(" ")
    return Holder(int(pid), since, who or FARM) if pid.isdecimal() else Holder(0, "some time")


def _is_alive(pid: int) -> bool:
    try:
        return pid > 0 and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

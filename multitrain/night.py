"""A night: the loop around a farm, its signals, and the lock on the workspace."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import psutil

from jobs.errors import ExitCode, WorkspaceBusy
from jobs.paths import Workspace
from jobs.states import State
from multitrain.display import Display, Summary
from multitrain.farm import Farm

TICK_SECONDS = 0.25
LAST_REQUEST = 2  # to stop that is answered with patience: the next one leaves, whoever still lives
HANDOVER_SECONDS = 120.0  # how long the processes of a farm that died may take to drain


class StopSignals:
    """Counts requests to stop, and wakes the loop for them and for children that end."""

    def __init__(self) -> None:
        self.requests = 0
        self._awake, self._waker = socket.socketpair()

    def __enter__(self) -> StopSignals:
        for end in (self._awake, self._waker):
            end.setblocking(False)
        self._old_waker = signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        stops = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # else under nohup
            stops.append(signal.SIGHUP)
        self._old = {number: signal.signal(number, self._count) for number in stops}
        self._old[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_waker)
        self._awake.close()
        self._waker.close()

    def wait(self, seconds: float) -> None:
        """Sleep, but not through a signal."""
        select.select([self._awake], [], [], seconds)
        with suppress(BlockingIOError):
            self._awake.recv(4096)

    def _count(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.requests += 1


def run(farm: Farm, display: Display, stop: StopSignals) -> ExitCode:
    """Tick until every job has ended or the farm has been stopped."""
    answered = 0
    while not farm.finished and answered <= LAST_REQUEST:
        if stop.requests > answered:
            answered = _stop(farm, display, stop.requests)
        now = time.monotonic()  # neither a suspended machine nor a clock that is set counts
        for event in farm.tick(now):
            display.tell(event)
        display.refresh(farm.views(), _summary(farm), now)
        if not farm.finished:
            stop.wait(TICK_SECONDS)
    if trouble := farm.close():
        display.note(f"the last states of jobs could not be written: {trouble}")
    return farm.exit_code


def _stop(farm: Farm, display: Display, requests: int) -> int:
    if requests == 1:
        display.note("draining: every job writes a checkpoint and stops; once more ends at once")
        farm.drain()
    else:
        display.note("ending at once; run again to go on from the last checkpoints")
        farm.kill()
    if requests > LAST_REQUEST:
        display.note("leaving without those that cannot be ended")
    return requests


def _summary(farm: Farm) -> Summary:
    counts = [f"{farm.count(state)} {state}" for state in State if farm.count(state)]
    return Summary(", ".join(counts), farm.waiting_for())


@contextmanager
def hold(workspace: Workspace, display: Display, stop: StopSignals) -> Iterator[int]:
    """The lock of a workspace, as a descriptor that children inherit.

    It is held until the last of them is gone, so a farm that follows one that was killed waits for
    its trainers to drain. WorkspaceBusy where another farm is alive, or `stop` comes first.
    """
    workspace.runs.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(workspace.lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _wait_for_lock(descriptor, workspace, display, stop)
        _sign(descriptor)
        yield descriptor
    finally:
        os.close(descriptor)


def _sign(descriptor: int) -> None:
    """Note who holds it and since when, for people. A full disk is no reason not to."""
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()} {since}".encode(), 0)


def _wait_for_lock(
    descriptor: int, workspace: Workspace, display: Display, stop: StopSignals
) -> None:
    deadline = time.monotonic() + HANDOVER_SECONDS
    told = False
    while not _lock(descriptor):
        pid, since = _holder(descriptor)
        if _is_alive(pid):
            raise WorkspaceBusy(
                f"{workspace.root} is held by the farm with pid {pid}, running since {since}; "
                "wait for it, stop it, or choose another --workspace."
            )
        if stop.requests or time.monotonic() > deadline:
            raise WorkspaceBusy(
                f"{workspace.root}: trainers of the farm that ended before (pid {pid}, running "
                f"since {since}) have not drained yet; run again in a while."
            )
        if not told:
            display.note("waiting for the trainers of the farm that ended before")
            told = True
        stop.wait(TICK_SECONDS)


def is_held(workspace: Workspace) -> bool:
    """Whether a farm, or a process that it left behind, is at work here."""
    try:
        descriptor = os.open(workspace.lock, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not _lock(descriptor, fcntl.LOCK_SH)  # shared: two that ask do not see each other
    finally:
        os.close(descriptor)


def _lock(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _holder(descriptor: int) -> tuple[int, str]:
    text = os.pread(descriptor, 100, 0).decode(errors="replace")
    pid, _, since = text.partition(" ")
    return (int(pid), since) if pid.isdecimal() else (0, "some time")

"""A night: the loop around a farm, and its signals."""

from __future__ import annotations

import select
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType

from jobs.errors import ExitCode
from jobs.workspace.states import State
from multitrain.commands.run.display import Display, Summary
from multitrain.farm.farm import Farm

TICK_SECONDS = 0.25
LAST_REQUEST = 2  # requests to stop that wait for processes to end; one more leaves them


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
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # ignored under nohup
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
        """Sleep for `seconds`, or until a signal comes."""
        select.select([self._awake], [], [], seconds)
        with suppress(BlockingIOError):
            self._awake.recv(4096)

    def _count(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.requests += 1


@dataclass(frozen=True)
class StopWords:
    """What is said at the first signal, and at the second one."""

    first: str
    second: str


OF_A_FARM = StopWords(
    "draining: every job writes a checkpoint and stops; once more ends at once",
    "ending at once; run again to go on from the last checkpoints",
)


def run(
    farm: Farm,
    display: Display,
    stop: StopSignals,
    intruder: Callable[[], str] = lambda: "",
    words: StopWords = OF_A_FARM,
) -> ExitCode:
    """Tick until every job has ended or the farm has been stopped.

    `intruder` is asked at each tick who else is at work in this workspace; then the farm drains.
    """
    answered, gives_way = 0, False
    while not farm.finished and answered <= LAST_REQUEST:
        if stop.requests > answered:
            answered = _stop(farm, display, stop.requests, words)
        if not gives_way and (trouble := intruder()):
            display.note(f"{trouble}: draining")
            gives_way = True
            farm.drain()
        now = time.monotonic()  # unlike the time of day, it never jumps
        for event in farm.tick(now):
            display.tell(event)
        display.refresh(farm.views(), _summary(farm), now)
        if not farm.finished:
            stop.wait(0 if farm.is_busy else TICK_SECONDS)
    farm.close()
    return farm.exit_code


def _stop(farm: Farm, display: Display, requests: int, words: StopWords) -> int:
    if requests == 1:
        display.note(words.first)
        farm.drain()
    else:
        display.note(words.second)
        farm.kill()
    if requests > LAST_REQUEST:
        display.note("leaving without those that cannot be ended")
    return requests


def _summary(farm: Farm) -> Summary:
    counts = [f"{farm.count(state)} {state}" for state in State if farm.count(state)]
    return Summary(", ".join(counts), str(farm.time_left()), farm.waiting_for())

"""The farm's side of the render worker: deaths, hangs, and one that is really stopped."""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from jobs.errors import MultitrainError
from jobs.workspace import locks
from jobs.workspace.paths import Workspace
from multitrain.executors import Launch
from multitrain.executors.local import LocalExecutor, LocalProcess
from multitrain.farm.render_keeper import (
    HANG_SECONDS,
    RESTARTS,
    SOUND_SECONDS,
    RenderKeeper,
)
from multitrain.farm.stalls_and_retries import ASLEEP_SECONDS

PATIENCE = 60.0  # seconds of a real process
LOOK_SECONDS = 5.0  # between two looks of the keeper
assert LOOK_SECONDS < ASLEEP_SECONDS < HANG_SECONDS


@dataclass
class FakeWorker:
    """Lives until it is told otherwise; `beats` says whether it touches its file at a look."""

    beats: bool = True
    code: int | None = None
    heard: list[str] = field(default_factory=list)
    hushed: bool = False
    killed: int = 0
    outlives_kill: bool = False

    def poll(self) -> int | None:
        return self.code

    def say(self, line: str) -> None:
        self.heard.append(line)

    def hush(self) -> None:
        self.hushed = True

    def kill(self) -> None:
        self.killed += 1
        if not self.outlives_kill:
            self.code = -9

    drain = dump_stack = kill


class Bench:
    """A keeper with a job, fake workers and a clock."""

    def __init__(self, workspace: Workspace) -> None:
        workspace.runs.mkdir(parents=True, exist_ok=True)
        self.heartbeat = workspace.render_heartbeat
        self.workers: list[FakeWorker] = []
        self.keeper = RenderKeeper(workspace, self, encoders=1)
        self.keeper.take("job")
        self.now = 1000.0
        self._beats = 0

    def start(self, launch: Launch) -> FakeWorker:
        assert launch.listens
        self.workers.append(FakeWorker())
        return self.workers[-1]

    @property
    def worker(self) -> FakeWorker:
        return self.workers[-1]

    @property
    def kills(self) -> int:
        return sum(worker.killed for worker in self.workers)

    def beat(self) -> None:
        """As a clock would show that is set back all the time."""
        self._beats += 1
        when = 10**18 - self._beats * 10**9
        os.utime(self.heartbeat, ns=(when, when))

    def go_on(self, seconds: float, look: Callable[[float], object] | None = None) -> None:
        """Let time pass, with a look of the keeper every few seconds, the last one at its end."""
        look = look or self.keeper.keep_alive
        end = self.now + seconds
        while self.now < end:
            self.now = min(self.now + LOOK_SECONDS, end)
            if self.workers and self.worker.beats and self.heartbeat.exists():
                self.beat()
            look(self.now)


@pytest.fixture
def bench(workspace: Workspace) -> Bench:
    return Bench(workspace)


def test_a_worker_that_beats_lives_as_long_as_it_likes(bench: Bench) -> None:
    bench.go_on(3 * HANG_SECONDS)
    assert len(bench.workers) == 1
    assert bench.kills == 0


def test_a_worker_that_hangs_is_replaced(bench: Bench) -> None:
    bench.go_on(1000)
    bench.worker.beats = False
    bench.go_on(HANG_SECONDS - 1)
    assert bench.kills == 0
    bench.go_on(1)
    first, second = bench.workers
    assert first.killed == 1
    assert second.heard == ["job"]
    bench.go_on(2 * HANG_SECONDS)
    assert len(bench.workers) == 2


def test_the_time_before_the_first_beat_counts(bench: Bench) -> None:
    """Also where the file is there, from a worker before."""
    bench.heartbeat.touch()
    bench.keeper.keep_alive(bench.now)
    bench.worker.beats = False
    bench.go_on(HANG_SECONDS - 1)
    assert bench.kills == 0
    bench.go_on(1)
    assert bench.kills == 1


def test_one_that_cannot_be_killed_is_waited_for(bench: Bench) -> None:
    bench.go_on(1000)
    bench.worker.beats, bench.worker.outlives_kill = False, True
    bench.go_on(2 * HANG_SECONDS)
    assert bench.kills == 1
    assert len(bench.workers) == 1, "two would get in each other's way"
    bench.worker.code = -9
    bench.go_on(LOOK_SECONDS)
    assert len(bench.workers) == 2


def test_one_that_hangs_while_the_farm_drains_does_not_hold_it_up(bench: Bench) -> None:
    bench.go_on(1000)
    bench.go_on(2 * HANG_SECONDS, bench.keeper.drain)
    assert bench.worker.hushed
    assert not bench.keeper.idle, "encoders may take long"
    bench.worker.beats = False
    bench.go_on(HANG_SECONDS + LOOK_SECONDS, bench.keeper.drain)
    assert bench.kills == 1
    assert bench.keeper.idle


def test_a_machine_that_slept_is_no_hang(bench: Bench) -> None:
    bench.go_on(1000)
    bench.now += 10 * HANG_SECONDS
    bench.keeper.keep_alive(bench.now)
    assert bench.kills == 0
    bench.worker.beats = False
    bench.go_on(HANG_SECONDS)
    assert bench.kills == 1


def test_without_a_file_nobody_is_held_for_hanging(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk may have no room for it; later it is made."""

    def no_room(path: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)

    with monkeypatch.context() as patch:
        patch.setattr(locks, "open_file", no_room)
        bench.go_on(3 * HANG_SECONDS)
    assert not bench.heartbeat.exists()
    assert bench.kills == 0
    bench.worker.beats = False
    bench.go_on(HANG_SECONDS + 3 * LOOK_SECONDS)
    assert bench.heartbeat.exists()
    assert bench.kills == 1


def test_workers_that_die_or_hang_in_a_row_are_given_up(bench: Bench) -> None:
    for _ in range(RESTARTS):
        bench.go_on(60)
        bench.worker.code = 1
    bench.go_on(60)
    bench.worker.beats = False
    with pytest.raises(MultitrainError, match=r"ended 6 times, .* hung for 10 minutes; its log: "):
        bench.go_on(HANG_SECONDS)
    assert len(bench.workers) == RESTARTS + 1


def test_hanging_from_the_start_is_no_long_life(bench: Bench) -> None:
    def look(now: float) -> None:
        bench.keeper.keep_alive(now)
        bench.worker.beats = False

    with pytest.raises(MultitrainError, match="hung"):
        bench.go_on(2 * (RESTARTS + 1) * HANG_SECONDS, look)
    assert len(bench.workers) == RESTARTS + 1


def test_deaths_with_hours_between_are_not_in_a_row(bench: Bench) -> None:
    for _ in range(3 * RESTARTS):
        bench.go_on(SOUND_SECONDS + 60)
        bench.worker.code = -9
    for _ in range(RESTARTS):  # the last one above was the first of these
        bench.go_on(60)
        bench.worker.code = -9
    with pytest.raises(MultitrainError, match="with code -9"):
        bench.go_on(60)


# --- a real one ----------------------------------------------------------------------------------


class RecordingExecutor(LocalExecutor):
    def __init__(self) -> None:
        self.started: list[LocalProcess] = []

    def start(self, launch: Launch) -> LocalProcess:
        self.started.append(super().start(launch))
        return self.started[-1]


@pytest.fixture
def executor() -> Iterator[RecordingExecutor]:
    made = RecordingExecutor()
    yield made
    for process in made.started:
        process.kill()
        process._popen.wait(PATIENCE)
        process.hush()


def wait_for(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.01)


def test_a_stopped_worker_is_ended_and_another_one_beats(
    workspace: Workspace, executor: RecordingExecutor
) -> None:
    """The keeper's clock is the test's; the worker's is its own."""
    heartbeat = workspace.render_heartbeat

    def beats() -> bool:
        """Whether there is a beat after this call."""
        before = heartbeat.stat().st_mtime_ns
        wait_for(lambda: heartbeat.stat().st_mtime_ns != before, "a heartbeat")
        return True

    def look_for(seconds: float) -> None:
        nonlocal now
        end = now + seconds
        while now < end:
            now += LOOK_SECONDS
            keeper.keep_alive(now)

    now = 0.0
    keeper = RenderKeeper(workspace, executor, encoders=1)
    keeper.take("job")
    keeper.keep_alive(now)
    assert beats()
    assert beats(), "again and again"
    [first] = executor.started
    os.kill(first.pid, signal.SIGSTOP)
    wait_for(lambda: psutil.Process(first.pid).status() == psutil.STATUS_STOPPED, "the stop")
    look_for(HANG_SECONDS + LOOK_SECONDS)  # it is not known whether the last beat was seen before
    wait_for(lambda: first.poll() is not None, "its end")
    look_for(LOOK_SECONDS)
    assert len(executor.started) == 2
    assert beats()
    keeper.drain(now)
    wait_for(lambda: keeper.drain(now) or keeper.idle, "the end of the second")
    assert executor.started[1].poll() == 0


@pytest.mark.parametrize("gpus", [{}, {"CUDA_VISIBLE_DEVICES": "GPU-0001,GPU-0002"}])
def test_encoders_see_the_gpus_of_the_farm(workspace: Workspace, gpus: dict[str, str]) -> None:
    launches: list[Launch] = []

    class Executor:
        def start(self, launch: Launch) -> FakeWorker:
            launches.append(launch)
            return FakeWorker()

    keeper = RenderKeeper(workspace, Executor(), encoders=1, environment=gpus)
    keeper.take("job")
    keeper.keep_alive(0.0)
    assert [launch.environment for launch in launches] == [gpus]

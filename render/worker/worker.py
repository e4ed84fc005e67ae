"""The render worker: one process that turns the batches of all jobs into timecuts and films.

    python -m render.worker.worker WORKSPACE --encoders N

No more than N ffmpegs run at once. While one of them runs, the result of the one before is
verified, so that no core is idle; so one task more is in hand than there are encoders.

Job names come on stdin, one a line. At the end of stdin, or on SIGTERM, the worker finishes the
tasks in hand, except exports and loops, which can be made again, and ends. Its whole state lies in
files, so it may be killed and started again at any time. ffmpeg stays in its process group, so that
both can be killed together.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path

from jobs.errors import MultitrainError
from jobs.workspace.disk import means_full
from jobs.workspace.jobfile import JobFile
from jobs.workspace.moves import finish_moves
from jobs.workspace.paths import JobPaths, Workspace
from render.delivery.courier import Courier
from render.delivery.offering import Offering
from render.encoding.ffmpeg import TURNS, lower_priority
from render.films.clearing import clear_up
from render.films.tasks import Task
from render.worker.doorbell import Doorbell
from render.worker.giving_up import GivenUp
from render.worker.rendering import Rendering

TICK_SECONDS = 0.25  # how long a new batch or checkpoint can stay unnoticed
BEAT_SECONDS = 2.0  # between two signs of life
BESIDES = 1  # tasks in hand besides those whose ffmpeg runs: to verify, join and publish results


class RenderWorker:
    """Shares `threads` of `executor` fairly between the jobs it looks after."""

    def __init__(
        self,
        workspace: Workspace,
        executor: Executor,
        threads: int,
        courier: Courier,
        wake: Callable[[], None] = lambda: None,
        keep_free: int = 0,
    ) -> None:
        """`wake` is called from another thread when a task has ended: a tick is due.

        `keep_free`: bytes that extras are to leave on the disk.
        """
        self._stop, self._keep_free = threading.Event(), keep_free
        self._workspace = workspace
        self._executor = executor
        self._threads = threads
        self._offering = Offering(courier)
        self._wake = wake
        self._new: list[str] = []
        self._jobs: dict[str, Rendering] = {}
        self._given_up = GivenUp()
        self._running: dict[Future[None], tuple[Rendering, Task]] = {}

    @property
    def idle(self) -> bool:
        """Whether no task is running."""
        return not self._running

    @property
    def looks_after(self) -> frozenset[str]:
        """Names of the jobs that are neither finished nor given up in writing."""
        return frozenset(self._jobs) | frozenset(self._new) | self._given_up.names

    def take_up(self, name: str) -> None:
        """Look after this job from the next tick on; anew, if it was known before."""
        self._jobs.pop(name, None)
        self._given_up.forget(name)
        if name not in self._new:
            self._new.append(name)

    def tick(self, now: float, *, draining: bool = False) -> None:
        """Note what has ended, then start what is due, unless draining; `now` in seconds."""
        self._note_ended(now)
        if not draining:
            self._load_new()
            self._start_due(now)
            self._refresh_pictures(now)
        self._given_up.write_down(now)

    def _note_ended(self, now: float) -> None:
        for future in [future for future in self._running if future.done()]:
            rendering, task = self._running.pop(future)
            if self._jobs.get(rendering.paths.name) is rendering:  # else it was taken up anew
                error = future.exception()
                if rendering.ended(task, error, now) and error:
                    self._give_up(rendering.paths, error)

    def _load_new(self) -> None:
        in_hand = {rendering.paths.name for rendering, _ in self._running.values()}
        for name in [name for name in self._new if name not in in_hand]:
            paths = self._workspace.job(name)
            try:
                finish_moves(paths)
                job = JobFile.load(paths)
                if job is None:
                    raise MultitrainError(
                        f"{paths.job_file} is gone; run the sheet of {name} again"
                    )
                if not paths.render_failure.exists():
                    self._jobs[name] = Rendering(paths, job, self._stop, self._keep_free)
            except MultitrainError as error:
                self._give_up(paths, error)
            except OSError:
                continue  # a disk that is away, say: again at the next tick
            self._new.remove(name)

    def _start_due(self, now: float) -> None:
        waiting = {name: self._look(name, now) for name in list(self._jobs)}
        while len(self._running) < self._threads and any(waiting.values()):
            # The job with the fewest tasks in hand; of several, the one served longest ago.
            name = min(
                (name for name in self._jobs if waiting[name]),
                key=lambda name: len(self._jobs[name].running),
            )
            rendering = self._jobs[name] = self._jobs.pop(name)
            self._start(rendering, waiting[name].pop(0))

    def _look(self, name: str, now: float) -> list[Task]:
        """The tasks that wait; none for a job that has ended, which is let go here."""
        rendering = self._jobs[name]
        paths = rendering.paths
        if rendering.rests(now):
            return []
        try:
            rendering.sweep()
            finished = paths.is_done and not rendering.running
            self._offer(rendering, now, ended=finished)
            if finished:
                clear_up(paths)
            if finished or paths.render_failure.exists():
                del self._jobs[name]
                return []
            return rendering.waiting_tasks(now)
        except (MultitrainError, OSError) as error:
            if isinstance(error, OSError) or means_full(error):
                rendering.rest(error, now)
            else:
                self._give_up(paths, error)
            return []

    def stop_extras(self) -> None:
        """Stop the extras in hand: the next worker makes them again."""
        self._stop.set()

    def offer_the_rest(self, now: float) -> None:
        """Before the end, offer all that jobs in hand, and new ones, have published by now."""
        self._load_new()
        for rendering in self._jobs.values():
            self._offer(rendering, now, ended=True)

    def _offer(self, rendering: Rendering, now: float, *, ended: bool) -> None:
        spec, outputs = rendering.job.spec, rendering.outputs
        self._offering.look(rendering.paths, spec, outputs, now, ended=ended)

    def _start(self, rendering: Rendering, task: Task) -> None:
        rendering.running.add(task)
        future = self._executor.submit(rendering.perform, task)
        self._running[future] = (rendering, task)
        future.add_done_callback(lambda _: self._wake())

    def _refresh_pictures(self, now: float) -> None:
        for rendering in self._jobs.values():
            if rendering.preview.refresh(now):
                return  # one a tick: large pictures take a while

    def _give_up(self, paths: JobPaths, error: BaseException) -> None:
        """Leave this job alone from now on."""
        self._jobs.pop(paths.name, None)
        self._given_up.add(paths, error)


class Heart:
    """Shows whoever watches the file that this process does not hang."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._beat_at = float("-inf")

    def beat(self, now: float) -> None:
        """Touch the file, unless that was done just now; `now` in seconds."""
        if now - self._beat_at >= BEAT_SECONDS:
            self._beat_at = now
            with suppress(OSError):  # the file is not there, or its disk is out of reach
                os.utime(self._file, follow_symlinks=False)


def serve(worker: RenderWorker, bell: Doorbell, heart: Heart) -> None:
    """Tick until nothing new is wanted and the tasks in hand have ended."""
    while not (bell.stopped and worker.idle):
        heart.beat(time.monotonic())
        for name in bell.wait(TICK_SECONDS):
            worker.take_up(name)
        if bell.stopped:
            worker.stop_extras()
        worker.tick(time.monotonic(), draining=bell.stopped)


def send_the_rest(courier: Courier, heart: Heart) -> None:
    """Wait for uploads, which may take as long as they like."""
    with ThreadPoolExecutor(1, "closing") as executor:
        closing = executor.submit(courier.close)
        while wait([closing], BEAT_SECONDS).not_done:
            heart.beat(time.monotonic())
        closing.result()


def main(arguments: Sequence[str] | None = None) -> int:
    """The process: exit code 0 once it has ended as asked."""
    parser = argparse.ArgumentParser(prog="python -m render.worker.worker", description=__doc__)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--encoders", type=int, default=1, metavar="N", help="ffmpegs at once")
    parser.add_argument(
        "--keep-free-bytes", type=int, default=0, help="that exports and loops are to leave"
    )
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    lower_priority()
    workspace = Workspace(given.workspace)
    bell = Doorbell(sys.stdin.fileno())
    bell.stop_at(signal.SIGTERM, signal.SIGINT)
    courier = Courier(workspace)
    heart = Heart(workspace.render_heartbeat)
    TURNS.at_most(given.encoders)
    threads = given.encoders + BESIDES
    with ThreadPoolExecutor(threads, "render") as executor:
        worker = RenderWorker(
            workspace, executor, threads, courier, bell.ring, given.keep_free_bytes
        )
        serve(worker, bell, heart)
    worker.offer_the_rest(time.monotonic())
    send_the_rest(courier, heart)
    return 0


if __name__ == "__main__":
    sys.exit(main())

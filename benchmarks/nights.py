"""One night: a farm whose processes are killed, and which is started again as its user would."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from random import Random

import psutil

from benchmarks.farmyard import Farmyard
from benchmarks.inspection import digests
from jobs.errors import ExitCode
from jobs.settings.spec import JobSpec
from jobs.workspace import requests
from jobs.workspace.paths import JobPaths
from jobs.workspace.requests import Order, Request
from jobs.workspace.states import State
from jobs.workspace.store import read_jobs
from multitrain.farm.render_keeper import RESTARTS
from render.worker.rendering import TRIES

EVERYTHING = "everything"  # a power cut
PYTHON = "all but ffmpeg"  # `killall -9 python`: encoders lose their worker
TARGETS = ("farm", "trainer", "render worker", "ffmpeg", PYTHON, EVERYTHING)
REQUEST = "request"  # no kill: the farm is steered
STEPS: tuple[tuple[Order, Mapping[str, object]], ...] = (
    (Order.PAUSE, {}),
    (Order.RESUME, {}),
    (Order.CANCEL, {}),
    (Order.REQUEUE, {}),
    (Order.TOP, {"now": True}),
    (Order.PRIORITY, {"priority": 3}),
    (Order.SUBMIT, {}),
    (Order.DRAIN, {}),
)

LONGEST_PAUSES = (1.0, 12.0)  # seconds before a kill: some hit what starts, others what works
AIMED = 0.5  # of the kills wait for a file to come, go or be renamed: there lie the narrow moments
POLL_SECONDS = 0.002
HANGS_SECONDS = 180.0  # without any change; an undisturbed night takes a tenth of it
MOST_PATIENCE = 5  # times as long, on a busy machine, for a farm that goes on
MOST_FAILED_RUNS = 3  # in one night, before it is left as it is

WAKE_SECONDS = 5.0
HELD = {State.PAUSED, State.CANCELLED}  # nobody works on it

# How often a process may be killed before it has got anywhere; beyond that, to give up is right.
RETRIES: int = JobSpec.model_fields["retries"].default
BEARABLE = {"trainer": RETRIES, "render worker": RESTARTS, "ffmpeg": TRIES - 1}


class Night:
    """Kills by `random`, until the sheet is done all the same."""

    def __init__(self, yard: Farmyard, random: Random, tell: Callable[[str], None]) -> None:
        self.kills: Counter[str] = Counter()
        self.published: dict[str, str] = {}  # file name -> digest, when it was first seen
        self.runs_failed = 0
        self._yard, self._random, self._tell = yard, random, tell
        self._borne: Counter[object] = Counter()
        self._hangs_at = self._wakes_at = 0.0
        self._patience = 0  # how often the farm may still be given that time
        self._changed: object = None  # when folders changed last, when it was given time last
        self._is_steered = False

    def live_through(self, targets: deque[str]) -> None:
        """Kill one target after another, taking them from the left, until the sheet is done."""
        self._start()
        self._is_steered = REQUEST in targets
        while targets:
            pause = self._random.uniform(0, self._random.choice(LONGEST_PAUSES))
            moment = time.monotonic() + pause
            if not self._strike(targets[0], moment, aimed=self._random.random() < AIMED):
                return
            self.kills[targets.popleft()] += 1
            self._remember_published()
        if self._is_steered:
            self._put_in_order()
        while not self._is_over():
            time.sleep(POLL_SECONDS)

    def _strike(self, target: str, moment: float, *, aimed: bool) -> bool:
        """Kill it at `moment`, or when it next lives; False where the night is over before.

        An aimed kill waits for the next change in the workspace's folders.
        """
        before: object = None
        while not self._is_over():
            if time.monotonic() >= moment:
                now = self._yard.folder_times() if aimed else None
                if (not aimed or before not in (None, now)) and self._kill(target):
                    return True
                before = now
            time.sleep(POLL_SECONDS)
        return False

    def _kill(self, target: str) -> bool:
        """Whether there was anything to kill."""
        if target == REQUEST:
            self._steer()
            return True
        if target in (EVERYTHING, PYTHON, "farm"):
            if target == "farm":
                self._yard.kill_farm()
            else:
                self._yard.kill_all(sparing="ffmpeg" if target == PYTHON else None)
            self._start()
            return True
        victims = [each for each in self._yard.living(target) if self._is_bearable(target, each)]
        if not victims:
            self._wake()
            return False
        victim = self._random.choice(victims)
        with suppress(psutil.Error):  # it has ended by itself meanwhile
            self._borne[self._progress(target, victim)] += 1
            victim.kill()
            return True
        return False

    def _steer(self) -> None:
        """Ask the farm for something, whether one runs just now or not."""
        order, what = self._random.choice(STEPS)
        jobs = self._yard.jobs()
        if order is Order.SUBMIT:
            what = {"jobs": jobs}
        elif order is not Order.DRAIN:
            what = {**what, "names": [self._random.choice(jobs).spec.name]}
        requests.send(self._yard.workspace, Request.new(order, **what))

    def _wake(self) -> None:
        """Where all that is left is paused or cancelled, nothing would ever be there to kill."""
        if not self._is_steered or time.monotonic() < self._wakes_at:
            return
        self._wakes_at = time.monotonic() + WAKE_SECONDS
        states = {row.state for row in read_jobs(self._yard.workspace.store)}
        if states <= HELD | {State.DONE} and states & HELD:
            self._put_in_order()

    def _put_in_order(self) -> None:
        """Have the farm go on with all that was paused or cancelled."""
        for order in (Order.RESUME, Order.REQUEUE):
            requests.send(self._yard.workspace, Request.new(order, every="all"))

    def _is_bearable(self, target: str, process: psutil.Process) -> bool:
        with suppress(psutil.Error):
            return self._borne[self._progress(target, process)] < BEARABLE[target]
        return False

    def _progress(self, target: str, process: psutil.Process) -> object:
        """What this process works at, and how far that is: the farm counts failures anew by it."""
        match target:
            case "trainer":
                job = self._job_of(process)
                return (job.name, tuple(job.checkpoint_names())) if job else "a spare that waits"
            case "render worker":
                return target, len(digests(self._yard))
        return target, tuple(process.cmdline())

    def _job_of(self, trainer: psutil.Process) -> JobPaths | None:
        """The job whose log it writes, for a spare's command tells none; None where it waits."""
        logs = (Path(file.path) for file in trainer.open_files() if file.fd == 1)
        return next((self._yard.workspace.job(log.parent.name) for log in logs), None)

    def _remember_published(self) -> None:
        for name, digest in digests(self._yard).items():
            self.published.setdefault(name, digest)

    def _was_told_to_end(self, code: int) -> bool:
        """Whether the farm has left jobs because somebody asked for that."""
        is_done = all(row.state is State.DONE for row in read_jobs(self._yard.workspace.store))
        return code == ExitCode.DRAINED or (code == 0 and not is_done)

    def _start(self) -> None:
        self._yard.start()
        self._hangs_at = time.monotonic() + HANGS_SECONDS
        self._patience, self._changed = MOST_PATIENCE - 1, self._yard.work_times()

    def _hangs(self) -> bool:
        """Whether the farm has changed nothing for long, or does not come to an end."""
        if time.monotonic() < self._hangs_at:
            return False
        changed = self._yard.work_times()
        if changed == self._changed or not self._patience:
            return True
        self._changed, self._patience = changed, self._patience - 1
        self._hangs_at = time.monotonic() + HANGS_SECONDS
        return False

    def _is_over(self) -> bool:
        """Whether all is done. A farm that ends otherwise, or hangs, is told and started again."""
        code = self._yard.exit_code
        if code is None and not self._hangs():
            return False
        if self._is_steered and code is not None and self._was_told_to_end(code):
            self._put_in_order()
            self._start()
            return False
        if code == 0:
            return True
        self.runs_failed += 1
        trouble = "hangs" if code is None else f"ended with code {code}"
        self._tell(f"the farm {trouble}; it said last:\n{self._yard.last_words()}")
        self._yard.kill_all()
        if self.runs_failed == MOST_FAILED_RUNS:
            return True
        self._start()
        return False

"""The page under load: 20 walls on a night of 200 jobs, beside a farm that trains a small job.

The page and its clients are stopped (SIGSTOP) in every other turn. What counts is the processor
time of farm, trainer, render worker and page for each step, without that of the clients, who would
be other machines. A browser opens the page when the farm has ended, for it would eat the cores that
train.
"""

from __future__ import annotations

import http.client
import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks import processes, standard
from benchmarks.figures import Effort, Figure
from benchmarks.peers.process import CODE
from benchmarks.progress import newest
from jobs.errors import MultitrainError
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths, Workspace
from render.films.previews import show_timecut

JOBS, CLIENTS = 200, 20
TURN_SECONDS, QUICK_SECONDS = 15.0, 1.0
PATIENCE_SECONDS = 300.0
POLL_SECONDS = 0.02
LIGHT = {"gf_dim": 16, "df_dim": 16}  # so that a turn holds many blocks, and timecuts
TIMECUT_SECONDS = 2  # of video: a preview for each
MOST_TICK, MOST_LOSS, MOST_MEMORY, MOST_PAINT = 50.0, 2.0, 150.0, 1000.0  # ms, %, MB, ms
ROWS = 100  # of the queue's first page
WATCH_ROWS = f"""new MutationObserver(() => {{
    if (!window.filled && document.querySelectorAll("tr[data-key]").length >= {ROWS})
        requestAnimationFrame(() => {{ window.filled = performance.now(); }});
}}).observe(document, {{ childList: true, subtree: true }});"""


class Mark(NamedTuple):
    """The training and what it has cost, at the moment when a block of steps was done."""

    step: int
    farm: float  # seconds of processor time: the farm and all that it has started
    page: float


def measure(effort: Effort) -> list[Figure]:
    """Ticks, training, memory and a first sight of the page."""
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-") as folder,
        standard.on_cores(),
        ExitStack() as stack,
    ):
        night = Night(Workspace(Path(folder)), effort)
        stack.enter_context(night.farm())
        cookie, link = stack.enter_context(night.page())
        clients = stack.enter_context(night.clients(cookie))
        seconds = QUICK_SECONDS if effort.quick else TURN_SECONDS
        turns = [night.turns(clients, seconds) for _ in range(effort.repetitions)]
        memory = night.page_process.memory_info().rss / 1e6
        clients.kill()
        ticks = night.end()
        preview = night.preview_seconds()
        paints = first_paint(link)
    loss = statistics.median((shown - (bare - preview)) / (bare - preview) for bare, shown in turns)
    page = statistics.median(night.page_shares)
    beside = {
        "without, s/step": statistics.median(bare for bare, _ in turns),
        "with, s/step": statistics.median(shown for _, shown in turns),
        "the page alone, %": 100 * page,
        "previews alone, %": 100 * preview / statistics.median(bare for bare, _ in turns),
    }
    hundredths, spent = (statistics.quantiles(each, n=100) for each in zip(*ticks, strict=True))
    told = {
        "median, ms": 1000 * hundredths[49],
        "of processor time, 99 of 100, ms": 1000 * spent[98],
        "median of that, ms": 1000 * spent[49],
    }
    name = f"{CLIENTS} pages, {JOBS} jobs"
    return [
        Figure(f"{name}: processor time per step", 100 * loss, "%", MOST_LOSS, False, beside),
        Figure("the farm's tick, 99 of 100", 1000 * hundredths[98], "ms", MOST_TICK, False, told),
        Figure("memory of the page's process", memory, "MB", MOST_MEMORY, False),
        *paints,
    ]


class Night:
    """A workspace in which a farm trains one job and others wait, and its page."""

    def __init__(self, workspace: Workspace, effort: Effort) -> None:
        self.workspace, self._effort = workspace, effort
        self._mark = str(workspace.root.resolve())
        self._ticks = workspace.root / "ticks.json"
        job = standard.standard_job(effort)
        self.paths: JobPaths = workspace.job(job.spec.name)
        self.page_shares: list[float] = []

    @contextmanager
    def farm(self) -> Iterator[None]:
        """A farm at work; killed at the end, where it has not ended by then."""
        self._write_sheet()
        arguments = ("run", "sheet.csv", "--gpus", "cpu", "--slots", "1")
        self._farm = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.timed_ticks", str(self._ticks), *arguments],
            cwd=self.workspace.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, processes.MARK: self._mark, "PYTHONPATH": str(CODE)},
            start_new_session=True,
        )
        try:
            self._block(after=0)
            yield
        finally:
            processes.kill_all(self._mark)
            self._farm.wait()

    def _write_sheet(self) -> None:
        standard.make_data_set(self.workspace.dataset("landscapes"), self._effort)
        given = {"name": self.paths.name, "dataset": "landscapes", "grid_width": 3}
        given |= {"grid_height": 3, "video_length": 60, "auto_render_period": TIMECUT_SECONDS}
        given |= standard.QUICK if self._effort.quick else LIGHT
        rows = [given, *({**given, "name": f"waits{number:03d}"} for number in range(1, JOBS))]
        lines = [",".join(given), *(",".join(map(str, row.values())) for row in rows)]
        (self.workspace.root / "sheet.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    @contextmanager
    def page(self) -> Iterator[tuple[str, str]]:
        """`multitrain serve`: the cookie of its visitors, and its link."""
        with subprocess.Popen(
            [sys.executable, "-m", "multitrain", "serve", "--port", "0"],
            cwd=self.workspace.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(CODE)},
        ) as process:
            try:
                assert process.stdout
                link = process.stdout.readline().split()[-1]
                self.page_process = psutil.Process(process.pid)
                self.port = int(link.rpartition("/#")[0].rpartition(":")[2])
                yield self._enter(link.rpartition("token=")[2]), link
            finally:
                process.kill()

    def _enter(self, token: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/api/enter", json.dumps({"token": token}), headers)
        answer = connection.getresponse()
        answer.read()
        return str(answer.getheader("set-cookie")).partition(";")[0]

    @contextmanager
    def clients(self, cookie: str) -> Iterator[subprocess.Popen[str]]:
        """Open pages, as one process."""
        call = (str(self.port), cookie, str(CLIENTS))
        with subprocess.Popen(
            [sys.executable, "-m", "benchmarks.page_clients", *call],
            cwd=CODE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert process.stdout
                if not process.stdout.readline():
                    raise MultitrainError("the page has not answered its clients")
                yield process
            finally:
                process.kill()

    def turns(self, clients: subprocess.Popen[str], seconds: float) -> tuple[float, float]:
        """Processor time of a step without the page, and with it."""
        both = [self.page_process, psutil.Process(clients.pid)]
        for process in both:
            process.suspend()
        bare, _ = self._turn(seconds)
        for process in both:
            process.resume()
        shown, page = self._turn(seconds)
        self.page_shares.append(page / (shown - page))
        return bare, shown

    def _turn(self, seconds: float) -> tuple[float, float]:
        """Processor time of a step, and the page's part of it."""
        first = self._block(after=self._newest_step())
        deadline = time.monotonic() + seconds
        last = first
        while time.monotonic() < deadline or last.step == first.step:
            last = self._block(after=last.step)
        steps, page = last.step - first.step, last.page - first.page
        return (last.farm - first.farm + page) / steps, page / steps

    def _newest_step(self) -> int:
        told = newest(self.paths)
        return told.step if told else 0

    def _block(self, after: int) -> Mark:
        """The first moment at which the trainer has told of more than `after` steps."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (step := self._newest_step()) <= after:
            if self._farm.poll() is not None or time.monotonic() > deadline:
                raise MultitrainError(f"the farm in {self.workspace.root} makes no frames")
            time.sleep(POLL_SECONDS)
        page = 0.0
        with suppress(AttributeError):  # it has not begun
            page = spent(self.page_process)
        return Mark(step, sum(map(spent, processes.marked(self._mark))), page)

    def end(self) -> list[tuple[float, float]]:
        """Drain the farm, once it has published something; seconds and processor time of ticks."""
        while not self.paths.timecut(1).exists():
            self._block(after=self._newest_step())
        self._farm.send_signal(signal.SIGTERM)
        self._farm.wait(PATIENCE_SECONDS)
        times: list[tuple[float, float]] = json.loads(self._ticks.read_text())
        return times

    def preview_seconds(self) -> float:
        """Processor time of the preview of a timecut, for each of its steps."""
        job = JobFile.load(self.paths)
        assert job, "it has been trained"
        self.paths.timecut(2).unlink(missing_ok=True)  # so that the first is the newest
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        show_timecut(self.paths, job, 1)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return seconds / (len(job.plan.cuts[0]) / job.spec.frames_per_step)


def spent(process: psutil.Process) -> float:
    """Seconds of processor time of a process, and of those of its children that have ended."""
    with suppress(psutil.Error):
        return sum(process.cpu_times()[:4])
    return 0.0


def first_paint(link: str) -> list[Figure]:
    """How soon a browser shows the queue; nothing where there is no browser."""
    path = shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if path is None:
        note = "no chromium, or no playwright"
        return [Figure("first paint in a browser", 0.0, "ms", None, False, {}, note)]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        page = browser.new_page()
        page.goto(link)
        page.wait_for_selector("#states .counts a:visible")
        page.add_init_script(WATCH_ROWS)
        painted, filled = [], []
        for _ in range(5):
            page.goto("about:blank")
            page.goto(link.partition("#")[0] + "#/queue")
            page.wait_for_function("() => window.filled")
            entry = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
            painted.append(page.evaluate(entry))
            filled.append(page.evaluate("window.filled"))
        browser.close()
    beside = {"something is seen, ms": statistics.median(painted)}
    name = f"{ROWS} of {JOBS} jobs are seen in a browser"
    return [Figure(name, statistics.median(filled), "ms", MOST_PAINT, False, beside)]

"""A whole farm at work beside the bare loop: what spool, encoders, checkpoints and the farm cost.

Both run the standard job on the same two cores. They take turns: the farm's processes are stopped
(SIGSTOP) while the bare loop runs, and the bare loop awaits its turn while the farm does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from benchmarks import processes, standard
from benchmarks.figures import Effort, Figure
from benchmarks.peers.process import CODE
from benchmarks.progress import newest
from benchmarks.training import our_peer, save_pictures
from benchmarks.turns import Contender, amounts_for, take_turns
from jobs.errors import MultitrainError
from jobs.workspace.files import listing
from jobs.workspace.paths import JobPaths, Workspace
from multitrain.protocol.progress_lines import ProgressLine

TURN_SECONDS = 45.0  # several batches, so that the encoders have work in each turn
PATIENCE_SECONDS = 600.0  # for a start or a turn
POLL_SECONDS = 0.05
TIMECUT_SECONDS = 5  # of video, so that checkpoints and timecuts are made as well
LIMIT = 88.0  # %
GROWTH = 2.0  # batches: one that is being written, one that is being encoded

FARM, BARE = "farm", "bare loop"


def measure(effort: Effort) -> list[Figure]:
    """Frames per second of both, as a ratio."""
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-") as folder,
        standard.on_cores(),
        our_peer(effort, save_pictures(effort, Path(folder))) as bare,
    ):
        bare.wait_until_ready()
        with farm(effort, Path(folder)) as whole:
            amounts = {FARM: 1, BARE: 1}
            if not effort.quick:
                amounts = amounts_for({BARE: bare}, TURN_SECONDS)
                amounts[FARM] = amounts[BARE]
            contenders: dict[str, Contender] = {FARM: whole, BARE: bare}
            before = len(listing(whole.paths.spool))
            rounds = take_turns(contenders, amounts, effort.repetitions)
            behind = len(listing(whole.paths.spool))
    per_step = standard.standard_job(effort).spec.frames_per_step
    beside = {f"{name}, frames/s": per_step * rounds.rate(name) for name in contenders}
    value = 100 * rounds.speedup(FARM, over=BARE)
    return [
        Figure("farm with encoders / bare loop", value, "%", LIMIT, True, beside),
        left_over(before, behind),
    ]


def left_over(before: int, behind: int) -> Figure:
    """Batches in the spool: work that encoders had not done when the farm's time was taken."""
    beside = {"batches before": before, "batches behind": behind}
    return Figure("growth of the farm's spool", behind - before, "batches", GROWTH, False, beside)


class Farm:
    """A farm that trains one job, stopped but for its turns."""

    def __init__(self, paths: JobPaths, mark: str, process: subprocess.Popen[bytes]) -> None:
        self.paths = paths
        self._mark = mark
        self._process = process
        self._line_behind(0)
        self._signal(signal.SIGSTOP)

    def __call__(self, amount: int) -> float:
        """Seconds for `amount` steps, from the end of one block to that of another."""
        self._signal(signal.SIGCONT)
        told = newest(self.paths)
        assert told
        first = self._line_behind(told.step)
        last = self._line_behind(first.step + amount - 1)
        self._signal(signal.SIGSTOP)
        return (last.time - first.time) * amount / (last.step - first.step)

    def _line_behind(self, step: int) -> ProgressLine:
        """The first line seen that tells of more than `step` steps."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (told := newest(self.paths)) or told.step <= step:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise MultitrainError(f"the farm in {self.paths.workspace.root} makes no frames")
            time.sleep(POLL_SECONDS)
        return told

    def _signal(self, number: signal.Signals) -> None:
        for process in processes.marked(self._mark):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)


@contextmanager
def farm(effort: Effort, folder: Path) -> Iterator[Farm]:
    """`multitrain run` on a sheet of one long job, killed at the end."""
    workspace = Workspace(folder / "workspace")
    job = standard.standard_job(effort)
    standard.make_data_set(workspace.dataset("landscapes"), effort)
    given = {"name": job.spec.name, "dataset": "landscapes", "grid_width": 3, "grid_height": 3}
    given |= {"video_length": 600, "auto_render_period": TIMECUT_SECONDS}
    given |= standard.QUICK if effort.quick else {}
    rows = [",".join(given), ",".join(str(value) for value in given.values())]
    (workspace.root / "sheet.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    mark = str(workspace.root.resolve())
    process = subprocess.Popen(
        [sys.executable, "-m", "multitrain", "run", "sheet.csv", "--gpus", "cpu", "--slots", "1"],
        cwd=workspace.root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, processes.MARK: mark, "PYTHONPATH": str(CODE)},
        start_new_session=True,
    )
    try:
        yield Farm(workspace.job(job.spec.name), mark, process)
    finally:
        processes.kill_all(mark)
        process.wait()

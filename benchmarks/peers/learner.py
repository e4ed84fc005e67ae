"""A training that is asked to go on for so many milliseconds, and, by 0, for samples.

These are saved as `(n, height, width, channels)` uint8, with how many steps were done.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np

from benchmarks.peers.answering import answer, share_cores
from jobs.workspace.jobfile import JobFile
from multitrain.engine.feeds import only
from multitrain.engine.session import SessionSettings


def main() -> None:
    """Train at request."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.learner", description=__doc__)
    parser.add_argument("--job", required=True, help="a JobFile as JSON")
    parser.add_argument("--pictures", type=Path, required=True, help=".npy, (n, h, w, 3) uint8")
    parser.add_argument("--cores", type=int, required=True)
    parser.add_argument("--samples", type=Path, required=True, help="where they go, .npz")
    given = parser.parse_args()
    job = JobFile.model_validate_json(given.job)
    share_cores(given.cores)
    os.environ["KERAS_BACKEND"] = job.spec.engine
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from multitrain.families import open_session

    session = open_session(job, only(np.load(given.pictures)), SessionSettings(threads=given.cores))
    session.warm_up()

    def go_on(milliseconds: int) -> None:
        if not milliseconds:
            cells = _cells(session.last_frame()[0], job)
            np.savez(given.samples, samples=cells, steps=session.step)
            return
        end = time.perf_counter() + milliseconds / 1000
        while time.perf_counter() < end:
            losses = session.run(1).losses
            assert np.isfinite(list(losses.values())).all(), losses

    answer(go_on)


def _cells(frame: np.ndarray, job: JobFile) -> np.ndarray:
    """The cells of a frame, row by row."""
    rows, columns = job.spec.grid_height, job.spec.grid_width
    height, width = job.cell.height, job.cell.width
    placed = frame.reshape(rows, height, columns, width, -1)
    return placed.swapaxes(1, 2).reshape(rows * columns, height, width, -1)


if __name__ == "__main__":
    main()

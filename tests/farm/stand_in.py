"""Stands in for the trainer and the render worker: real processes without TensorFlow and ffmpeg.

python stand_in.py trainer WORKSPACE JOB ...    notes what it saw, when, and claims all frames;
                                                a job named `stuck…` hangs at its first start
python stand_in.py worker WORKSPACE ...         writes the manifest of each job that has them
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths, Workspace

BUSY_SECONDS = 0.15  # long enough for jobs to overlap


def train(paths: JobPaths) -> None:
    faulthandler.register(signal.SIGUSR1)
    began = time.monotonic()
    job = JobFile.load(paths)
    assert job is not None
    if paths.name.startswith("stuck") and not (paths.run / "hung").exists():
        (paths.run / "hung").touch()
        hang_for_ever()
    time.sleep(BUSY_SECONDS)
    seen = os.environ["CUDA_VISIBLE_DEVICES"]
    note = {"saw": seen, "began": began, "ended": time.monotonic()}
    (paths.run / "seen.json").write_text(json.dumps(note))
    progress = {"time": time.time(), "step": 1, "frame": job.frames_total}
    paths.progress.write_text(json.dumps(progress) + "\n")


def hang_for_ever() -> None:
    threading.Event().wait()


def render(workspace: Workspace) -> None:
    waiting: list[str] = []
    listener = threading.Thread(target=listen, args=(waiting,), daemon=True)
    listener.start()
    while listener.is_alive() or waiting:
        for name in list(waiting):
            paths = workspace.job(name)
            if paths.progress.exists():
                paths.manifest.parent.mkdir(exist_ok=True)
                paths.manifest.write_text("{}")
                waiting.remove(name)
        time.sleep(0.01)


def listen(waiting: list[str]) -> None:
    for line in sys.stdin:
        waiting.append(line.rstrip("\n"))  # noqa: PERF401 - each as it comes


if __name__ == "__main__":
    workspace = Workspace(Path(sys.argv[2]))
    if sys.argv[1] == "trainer":
        train(workspace.job(sys.argv[3]))
    else:
        render(workspace)

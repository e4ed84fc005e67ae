"""Executors, couriers and shortcuts for the tests of the worker."""

import hashlib
import json
from concurrent.futures import Executor, Future

from render.encoding import ffmpeg
from tests.render.numbered import checkpoint, spool


class Held(Executor):
    """Does nothing until it is told to."""

    def __init__(self):
        self.held = []

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        self.held.append((future, fn, args))
        return future

    def tasks(self):
        """(job, task) of all that was ever submitted."""
        return [(fn.__self__.paths.name, *args) for _, fn, args in self.held]

    def let_go(self, index):
        """Do the one at `index`."""
        future, fn, args = self.held[index]
        try:
            future.set_result(fn(*args))
        except Exception as error:
            future.set_exception(error)


class NoCourier:
    def __init__(self):
        self.offered = {}

    def offer(self, paths, target, outputs):
        self.offered[paths.name] = [output.name for output in outputs]


def run(worker, start=0.0):
    """Tick, a second apart, until nothing happens any more."""
    now = start
    for _ in range(60):
        worker.tick(now)
        now += 1.0
        if worker.idle and not worker.looks_after:
            break
    return now


def whole(paths, job):
    """Train the job to its end."""
    spool(paths, job, 0, job.plan.frames_total)
    checkpoint(paths, job.plan.frames_total)


def checksum(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def failure(paths):
    return json.loads(paths.render_failure.read_text())


def wrap_ffmpeg(folder, monkeypatch, script):
    """A shell script in front of ffmpeg."""
    wrapper = folder / "ffmpeg-wrapper"
    wrapper.write_text(f'#!/bin/sh\n{script}\nexec "{ffmpeg.find()}" "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setattr(ffmpeg, "find", lambda *_: str(wrapper))

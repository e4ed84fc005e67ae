"""Our own training loop, as a trainer runs it: `Session.run`, steps and frames.

A unit is a training step; its frames arrive in this process as uint8. With `--pass-only` a frame is
the generator's pass and nothing more: no grid, no bytes. The difference is what snapshots cost.
With `--read-ahead`, pictures are read from their file while it computes.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.answering import answer, share_cores
from jobs.workspace.jobfile import JobFile
from multitrain.engine.feeds import OpenFeed, only
from multitrain.engine.session import SessionSettings


class PassOnly:
    """A Keras network whose pictures, where it does not train, shrink to one pixel."""

    def __init__(self, network: Any) -> None:
        self._network = network

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)

    def __call__(self, latents: Any, training: bool) -> Any:
        from keras import ops

        pictures = self._network(latents, training=training)
        return pictures if training else ops.mean(pictures, axis=(1, 2), keepdims=True)


def main() -> None:
    """Train at request."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.ours", description=__doc__)
    parser.add_argument("--job", required=True, help="a JobFile as JSON")
    parser.add_argument("--pictures", type=Path, required=True, help=".npy, (n, h, w, 3) uint8")
    parser.add_argument("--cores", type=int, required=True)
    parser.add_argument("--block", type=int, default=8, help="steps per call")
    parser.add_argument("--pass-only", action="store_true")
    parser.add_argument("--read-ahead", action="store_true")
    given = parser.parse_args()
    job = JobFile.model_validate_json(given.job)
    share_cores(given.cores)
    os.environ["KERAS_BACKEND"] = job.spec.engine
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    pictures = np.load(given.pictures, mmap_mode="c")
    settings = SessionSettings(
        threads=given.cores, pictures_on_device=False if given.read_ahead else None
    )
    session = _open(job, pictures, settings, given.pass_only)

    def train(steps: int) -> None:
        done = 0
        while done < steps:
            done += _run(session, min(given.block, steps - done))

    train(given.block + 1)  # also the compilation
    answer(train)


def _open(job: JobFile, pictures: Any, settings: SessionSettings, pass_only: bool) -> Any:
    from multitrain.engine import open_training
    from multitrain.families import open_session
    from multitrain.families.dcgan import describing as dcgan

    if not pass_only:
        feeds = {each.name: OpenFeed(each, pictures) for each in job.feeds}
        return open_session(job, feeds, settings)

    def describe() -> Any:
        model = dcgan.describe(job)
        bare = PassOnly(model.networks["generator"])
        shown = replace(model.shown, cell=(1, 1, model.shown.cell[-1]))
        return replace(model, networks={**model.networks, "generator": bare}, shown=shown)

    return open_training(describe, job.spec, only(pictures), settings)


def _run(session: Any, steps: int) -> int:
    block = session.run(steps)
    assert len(block.frames)
    assert np.isfinite(list(block.losses.values())).all()
    return steps


if __name__ == "__main__":
    main()

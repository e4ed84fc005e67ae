"""A walk, or one of its halves; a unit is a frame, a turn all of them.

Networks are compiled before. A walk and encoding alone both start ffmpeg and decode what it wrote.
"""

from __future__ import annotations

import argparse
import os
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.peers.answering import answer, shares_of_cores, stay_on
from jobs.settings.loops import Duration, WalkSettings
from jobs.workspace.jobfile import JobFile
from multitrain.engine.session import Frames, SessionSettings, State
from multitrain.walking.making import Drawing, WalkPlan, encode
from multitrain.weights.moments import Moments


def main() -> None:
    """Draw, encode or both, at request."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.walker", description=__doc__)
    parser.add_argument("--job", required=True, help="a JobFile as JSON")
    parser.add_argument("--frames", type=int, required=True)
    parser.add_argument("--part", choices=["walk", "drawing", "encoding"], required=True)
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args()
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    job = JobFile.model_validate_json(given.job)
    plan = WalkPlan(job, WalkSettings(Duration(frames=given.frames)), "h264")
    drawing_cores, encoding_cores = shares_of_cores()
    stay_on(drawing_cores)  # so do all threads that the framework starts
    drawing = _drawing(plan, len(drawing_cores))
    blocks = _blocks(plan, drawing)  # compiled by then
    if given.part == "drawing":
        answer(lambda _: _blocks(plan, drawing))
        return
    source = _Drawn(blocks) if given.part == "encoding" else _OnCores(drawing, drawing_cores)
    stay_on(encoding_cores)  # so does ffmpeg
    made = partial(encode, plan, source, given.output, _nobody, threading.Event())
    answer(lambda _: made())


def _drawing(plan: WalkPlan, threads: int) -> Drawing:
    from multitrain.walking.sampler import Sampler

    sampler = Sampler(plan.job, SessionSettings(threads=threads), 1, 1)
    return Drawing(plan, Moments((0,), lambda _: _weights(plan.job)), sampler)


def _blocks(plan: WalkPlan, drawing: Drawing) -> list[Frames]:
    return [drawing.block(first) for first in range(0, plan.frames, plan.block_frames)]


def _weights(job: JobFile) -> State:
    """Of a generator that has learnt nothing, but whose pictures are restless."""
    from multitrain.families.dcgan import describing as dcgan

    random = np.random.default_rng(0)
    network = dcgan.describe_sampler(job).network
    return {
        f"generator/{each.path}": random.normal(0, 0.05, each.shape).astype(np.float32)
        if "kernel" in each.path
        else np.array(each.value)
        for each in network.variables
    }


class _Drawn:
    """Blocks that are there already."""

    def __init__(self, blocks: Sequence[Frames]) -> None:
        self._blocks = blocks

    def block(self, first: int) -> Frames:
        return self._blocks[first // len(self._blocks[0])]


class _OnCores:
    """A drawing whose own thread stays on these cores, too."""

    def __init__(self, drawing: Drawing, cores: Sequence[int]) -> None:
        self._drawing, self._cores = drawing, cores

    def block(self, first: int) -> Frames:
        stay_on(self._cores)
        return self._drawing.block(first)


def _nobody(_: int) -> None:
    """Is told of the frames that are written."""


if __name__ == "__main__":
    main()

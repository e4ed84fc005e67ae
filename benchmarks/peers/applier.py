"""A video made by a network, or the network alone; a unit is a frame, a turn all of them.

The network is compiled before.
"""

from __future__ import annotations

import argparse
import os
import shutil
from importlib import import_module
from pathlib import Path

from benchmarks.peers.answering import answer, shares_of_cores, stay_on
from jobs.settings.kinds import Resolution
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.applying.asked import Asked
from multitrain.applying.course import Course
from multitrain.applying.planning import VideoPlan
from multitrain.engine.session import SessionSettings, State
from multitrain.families import MODULES
from render.files.film import Film
from render.files.reading import FilmReader, frames_in_order


def main() -> None:
    """Make videos, or only their frames, at request."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.applier", description=__doc__)
    parser.add_argument("--job", required=True, help="a JobFile as JSON")
    parser.add_argument("--film", type=Path, required=True)
    parser.add_argument("--part", choices=["apply", "network"], required=True)
    given = parser.parse_args()
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    asked = Asked(Workspace(given.film.parent), JobFile.model_validate_json(given.job))
    film = Film.look(given.film)
    course = Course(film.frames, (0,), lambda _: _weights(asked.job), "", ())
    plan = VideoPlan.of(asked, course, film, "h264", given.film.parent / "pieces")
    network_cores, other_cores = shares_of_cores()
    stay_on(network_cores)  # so do all threads that the framework starts
    _run(plan, given.part, network_cores, other_cores)


def _run(plan: VideoPlan, part: str, network_cores: list[int], other_cores: list[int]) -> None:
    import numpy as np

    from multitrain.applying.making import Following, make_video
    from multitrain.applying.translator import Pictures, Translator
    from multitrain.inference.network import Device

    class OnCores(Following):
        def made(self, first: int, pictures: Pictures, most: int = 1) -> Pictures:
            stay_on(network_cores)  # this thread, too
            return super().made(first, pictures, most)

    device = Device(plan.asked.job, SessionSettings(threads=len(network_cores)))
    asked = plan.asked
    network = OnCores(Translator(asked, device, plan.size), plan.course)
    with FilmReader([plan.film]) as reader:
        frames = np.stack(list(frames_in_order(reader)))
    blocks = [frames[first : first + plan.block] for first in range(0, len(frames), plan.block)]
    network.made(0, blocks[0], plan.block)  # compiled by then

    def alone(count: int) -> None:
        for first in range(0, count, plan.block):
            network.made(0, blocks[first // plan.block], plan.block)

    def whole(_: int) -> None:
        output = plan.film.path.with_name("made.mp4")
        make_video(plan, output, "multitrain 0", lambda: network, lambda _: None)
        shutil.rmtree(plan.folder, ignore_errors=True)

    if part == "network":
        answer(alone)
    stay_on(other_cores)  # so does ffmpeg
    answer(whole)


def _weights(job: JobFile) -> State:
    """Of a generator that has learnt nothing."""
    asked, describing = Asked(Workspace(Path()), job), import_module(MODULES[job.spec.family])
    size = Resolution(job.image_width, job.image_height)
    network = describing.describe_application(asked.fixed, size, asked.network, raw=False).network
    return {
        f"{asked.network}/{each.path}": each.numpy()
        for each in network.variables
        if each.dtype.startswith("float")
    }


if __name__ == "__main__":
    main()

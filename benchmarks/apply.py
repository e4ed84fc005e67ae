"""A video made of another one at 1280x720, beside the network alone on frames that are there.

A narrow pix2pix, H.264 in and out as sheets have it. The network has a core of its own, as a GPU
would be; reading and encoding have another one.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.figures import Effort, Figure
from benchmarks.peers.process import Peer
from benchmarks.turns import take_turns
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from render.encoding.streaming import RawVideo, encoding

SIZE, FPS, FRAMES = Resolution(1280, 720), 24, 132
QUICK_SIZE, QUICK_FRAMES = Resolution(64, 48), 4
TRAINED_SIDE = 256  # pixels, of the pictures of the training
GF_DIM = 24  # the default is 64
LIMIT = 0.9
FEWER = 4  # times fewer frames in a turn of the network alone, whose speed is the same for all

APPLY, NETWORK = PARTS = ("apply", "network")


def measure(effort: Effort) -> list[Figure]:
    """The speed of all together as a share of the network's."""
    frames = QUICK_FRAMES if effort.quick else FRAMES
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, ExitStack() as stack:
        film = Path(folder, "film.mp4")
        write_film(film, QUICK_SIZE if effort.quick else SIZE, frames)
        job, peers = _job(quick=effort.quick), {}
        for part in PARTS:
            given = ("--job", job.model_dump_json(), "--film", str(film), "--part", part)
            peers[part] = stack.enter_context(Peer("applier", *given))
        for peer in peers.values():
            peer.wait_until_ready()
        amounts = {APPLY: frames, NETWORK: frames // FEWER}
        rounds = take_turns(peers, amounts, effort.repetitions)
    beside = {f"{part}, frames/s": rounds.rate(part) for part in PARTS}
    share = rounds.speedup(APPLY, NETWORK)
    return [Figure("apply / its network alone", share, "x", LIMIT, True, beside)]


def _job(*, quick: bool) -> JobFile:
    cells = {"name": "job", "family": "pix2pix", "dataset": "d", "grid_width": 1, "steps": 1}
    widths = {"gf_dim": 2 if quick else GF_DIM}
    spec = JobSpec.model_validate({**cells, "grid_height": 1, "batch_size": 4, **widths})
    side = QUICK_SIZE.height if quick else TRAINED_SIDE
    return JobFile(spec=spec, image_width=side, image_height=side)


def write_film(film: Path, size: Resolution, frames: int) -> None:
    """A film that moves over a picture with fine detail."""
    width, height = size
    zoomed = Image.effect_mandelbrot((2 * width, 2 * height), (-2.2, -1.2, 0.8, 1.2), 80)
    picture = zoomed.convert("RGB")
    with encoding(film, RawVideo(width, height, 3, FPS), "h264") as sink:
        for number in range(frames):
            sink.write(np.asarray(picture.crop((number, 0, number + width, height))))

"""A walk at 480x270 beside the slower of its two halves: drawing alone, and encoding alone.

The default DCGAN, one sample to a frame, H.264 with the sheet's defaults. What draws has a core of
its own, as a GPU would be, and what encodes another one: the question is how well they overlap.
"""

from __future__ import annotations

import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.figures import Effort, Figure
from benchmarks.peers.process import Peer
from benchmarks.standard import standard_job
from benchmarks.turns import take_turns

WIDTH, HEIGHT = 480, 270
FRAMES, QUICK_FRAMES = 300, 6
LIMIT = 1.15

WALK, DRAWING, ENCODING = PARTS = ("walk", "drawing", "encoding")


def measure(effort: Effort) -> list[Figure]:
    """How many times as long as its slower half a walk takes."""
    job = standard_job(effort, grid_width=1, grid_height=1)
    if not effort.quick:
        job = job.model_copy(update={"image_width": WIDTH, "image_height": HEIGHT})
    frames = QUICK_FRAMES if effort.quick else FRAMES
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, ExitStack() as stack:
        peers = {}
        for part in PARTS:
            output = str(Path(folder, f"{part}.mp4"))
            given = ("--job", job.model_dump_json(), "--frames", str(frames), "--part", part)
            peers[part] = stack.enter_context(Peer("walker", *given, "--output", output))
        for peer in peers.values():
            peer.wait_until_ready()
        rounds = take_turns(peers, dict.fromkeys(PARTS, frames), effort.repetitions)
    turns = zip(*(rounds.seconds[part] for part in PARTS), strict=True)
    ratio = statistics.median(walk / max(halves) for walk, *halves in turns)
    beside = {
        f"{part}{'' if part == WALK else ' alone'}, frames/s": rounds.rate(part) for part in PARTS
    }
    return [Figure("walk / its slower half", ratio, "x", LIMIT, False, beside)]

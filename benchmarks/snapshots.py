"""What frames cost: a snapshot beyond its generator pass, and a whole farm beside the bare loop."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.figures import Effort, Figure
from benchmarks.training import equal_turns, our_peer, save_pictures

DEARER = 3.0  # %, at most

WHOLE, PASS_ONLY = "frames", "generator passes alone"


def measure(effort: Effort) -> list[Figure]:
    """Training with frames beside the same with generator passes whose pictures nobody takes."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, ExitStack() as stack:
        pictures = save_pictures(effort, Path(folder))
        peers = {WHOLE: our_peer(effort, pictures)}
        peers[PASS_ONLY] = our_peer(effort, pictures, "--pass-only")
        rounds = equal_turns(stack, peers, effort)
    dearer = 100 * (rounds.speedup(PASS_ONLY, over=WHOLE) - 1)
    beside = {f"{name}, ms/step": 1000 * rounds.median(name) for name in peers}
    name = "snapshots beyond their generator passes"
    return [Figure(name, dearer, "%", DEARER, at_least=False, beside=beside)]

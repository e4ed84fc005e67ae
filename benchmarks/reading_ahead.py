"""Training on pictures that are read while it computes, beside the same ones in place."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.figures import Effort, Figure
from benchmarks.training import equal_turns, our_peer, save_pictures

AS_FAST = 0.95

READ, IN_PLACE = "read ahead", "in place"


def measure(effort: Effort) -> list[Figure]:
    """The standard training; its pictures are a file that is mapped, both times."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, ExitStack() as stack:
        pictures = save_pictures(effort, Path(folder))
        peers = {
            READ: our_peer(effort, pictures, "--read-ahead"),
            IN_PLACE: our_peer(effort, pictures),
        }
        rounds = equal_turns(stack, peers, effort)
    beside = {f"{name}, steps/s": rounds.rate(name) for name in peers}
    share = rounds.speedup(READ, over=IN_PLACE)
    name = "training on pictures read ahead / in place"
    return [Figure(name, share, "x", AS_FAST, at_least=True, beside=beside)]

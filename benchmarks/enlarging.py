"""Frames of 640x360 made twice as large: `multitrain apply`'s network beside PyTorch's.

The same networks, on one core each, taking turns; ours with all that `apply` does to a frame but
reading and writing it. What these cost, `benchmarks.apply` tells.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

from benchmarks.apply import write_film
from benchmarks.figures import Effort, Figure
from benchmarks.peers.process import Peer
from benchmarks.turns import amounts_for, take_turns
from jobs.errors import MultitrainError, how_to_install
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile

SIZE, QUICK_SIZE = Resolution(640, 360), Resolution(32, 24)
FRAMES = 8  # of the film; a turn takes as many as it needs
TRAINED_SIDE = 64  # pixels, of the pictures of the training
TURN_SECONDS = 4.0
FASTER = 1.0  # than PyTorch
NETWORKS: dict[str, dict[str, object]] = {
    "srresnet, 4 blocks of 32": {"net": "srresnet", "blocks": 4, "features": 32},
    "pan, 8 blocks": {"net": "pan", "blocks": 8},
}
TINY: dict[str, object] = {"blocks": 1, "features": 4}


def measure(effort: Effort) -> list[Figure]:
    """MultitrainError where PyTorch is not installed."""
    if not find_spec("torch"):
        raise MultitrainError(f"PyTorch is missing: {how_to_install('bench')}")
    return [
        figure
        for name, columns in NETWORKS.items()
        for figure in _measured(effort, name, columns | (TINY if effort.quick else {}))
    ]


def _measured(effort: Effort, name: str, columns: Mapping[str, object]) -> Iterator[Figure]:
    size = QUICK_SIZE if effort.quick else SIZE
    cells = {"name": "job", "family": "superres", "dataset": "d", "scale": 2, "steps": 1}
    spec = JobSpec.model_validate({**cells, "grid_width": 1, "grid_height": 1, **columns})
    job = JobFile(spec=spec, image_width=TRAINED_SIDE, image_height=TRAINED_SIDE)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, ExitStack() as stack:
        film = Path(folder, "film.mp4")
        write_film(film, size, FRAMES)
        told = ("--job", job.model_dump_json(), "--film", str(film))
        peers = {
            "ours": stack.enter_context(Peer("applier", *told, "--part", "network")),
            "PyTorch": stack.enter_context(Peer("torch_enlarger", *told)),
        }
        for peer in peers.values():
            peer.wait_until_ready()
        seconds = 0 if effort.quick else TURN_SECONDS
        amounts = {who: min(FRAMES, count) for who, count in amounts_for(peers, seconds).items()}
        rounds = take_turns(peers, amounts, effort.repetitions)
    beside = {f"{who}, frames/s": rounds.rate(who) for who in peers}
    speedup = rounds.speedup("ours", over="PyTorch")
    yield Figure(f"{size} x2 by {name} / PyTorch", speedup, "x", FASTER, True, beside)

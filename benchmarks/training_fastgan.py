"""How fast a FastGAN trains: beside the same networks in PyTorch, and beside matrix products.

Two cores; square pictures of 128 and 256 pixels, batches of 8, a grid of 3x3, a frame after each
update. Contenders take turns, as in `benchmarks.training`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks import flops, standard
from benchmarks.figures import Effort, Figure
from benchmarks.peers.process import Peer
from benchmarks.turns import Rounds, amounts_for, take_turns
from jobs.errors import MultitrainError, how_to_install
from jobs.settings.spec import JobSpec
from jobs.sheets import operations
from jobs.workspace.jobfile import JobFile

PRECISIONS = ("float32", "bfloat16")
SIDES, QUICK_SIDES = (128, 256), (64,)
PICTURES, BATCH = 40, 8
TURN_SECONDS = 4.0
MATRIX, QUICK_MATRIX = 2048, 64  # rows and columns: beyond any cache
QUICK = {"gf_dim": 2, "df_dim": 2, "z_dim": 5}

FASTER = 1.0  # than PyTorch in the same precision


def measure(effort: Effort) -> list[Figure]:
    """MultitrainError where PyTorch is not installed."""
    if not find_spec("torch"):
        raise MultitrainError(f"PyTorch is missing: {how_to_install('bench')}")
    return [
        figure
        for side in (QUICK_SIDES if effort.quick else SIDES)
        for precision in PRECISIONS
        for figure in _measured(effort, side, precision)
    ]


def job_of(effort: Effort, side: int, precision: str) -> JobFile:
    """A FastGAN with the sheet's defaults."""
    given = {"name": "standard", "dataset": "demo", "grid_width": 3, "grid_height": 3}
    given |= {"video_length": 60, "family": "fastgan", "batch_size": BATCH, "precision": precision}
    spec = JobSpec.model_validate(given | (QUICK if effort.quick else {}))
    return JobFile(spec=spec, image_width=side, image_height=side)


def _measured(effort: Effort, side: int, precision: str) -> Iterator[Figure]:
    job = job_of(effort, side, precision)
    size = QUICK_MATRIX if effort.quick else MATRIX
    cores = ("--cores", str(standard.CORES))
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, ExitStack() as stack:
        pictures = Path(folder) / "pictures.npy"
        np.save(pictures, standard.landscapes(PICTURES, side, side))
        told = ("--job", job.model_dump_json(), "--pictures", str(pictures), *cores)
        of_product = ("--precision", precision, "--size", str(size), *cores)
        peers = {
            "ours": Peer("ours", *told, "--block", "1"),
            "PyTorch": Peer("torch_fastgan", *told),
            "products tensorflow": Peer("matrices", "tensorflow", *of_product),
            "products torch": Peer("matrices", "torch", *of_product),
        }
        for peer in peers.values():
            stack.enter_context(peer)
        for peer in peers.values():
            peer.wait_until_ready()
        amounts = amounts_for(peers, 0 if effort.quick else TURN_SECONDS)
        rounds = take_turns(peers, amounts, effort.repetitions)
    yield from _figures(job, rounds, f"fastgan {side}x{side} {precision}", size)


def _figures(job: JobFile, rounds: Rounds, name: str, size: int) -> Iterator[Figure]:
    seconds = {f"{who}, s/step": rounds.median(who) for who in ("ours", "PyTorch")}
    speedup = rounds.speedup("ours", over="PyTorch")
    yield Figure(f"{name} / PyTorch", speedup, "x", FASTER, True, seconds)
    products = rounds.fastest(["products tensorflow", "products torch"])
    step, product = operations.of_step(job), flops.of_product(size)
    share = 100 * rounds.speedup("ours", over=products) * step / product
    rates = {
        "training, GFLOP/s": step * rounds.rate("ours") / 1e9,
        f"{products}, GFLOP/s": product * rounds.rate(products) / 1e9,
    }
    yield Figure(f"{name}, share of matrix products", share, "%", None, True, rates)

"""How fast families train: beside the same networks in PyTorch, and beside matrix products.

Two cores. Contenders take turns, as in `benchmarks.training`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from benchmarks import flops, standard
from benchmarks.figures import Effort, Figure
from benchmarks.peers.process import Peer
from benchmarks.turns import Rounds, amounts_for, take_turns
from jobs.errors import MultitrainError, how_to_install
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from jobs.sheets import operations
from jobs.workspace.jobfile import JobFile

PRECISIONS = ("float32", "bfloat16")
PICTURES = 40
TURN_SECONDS = 4.0
MATRIX, QUICK_MATRIX = 2048, 64  # rows and columns: beyond any cache

FASTER = 1.0  # than PyTorch in the same precision


class Case(NamedTuple):
    """Pictures of one size, in batches; perhaps settings of its own, and their name."""

    size: Resolution
    batch: int
    columns: Mapping[str, object] = MappingProxyType({})
    title: str = ""


class Subject(NamedTuple):
    """A family, its settings, and what of it is measured."""

    columns: Mapping[str, object]
    cases: Sequence[Case]
    quick: Case
    narrow: Mapping[str, object]  # settings of tiny networks


def _square(side: int) -> Resolution:
    return Resolution(side, side)


TINY: dict[str, object] = {"gf_dim": 2, "df_dim": 2}
_TRANSLATED: dict[str, object] = {"grid_width": 1, "grid_height": 1, "snapshot": "step"}
SUBJECTS = {
    "fastgan": Subject(
        {"grid_width": 3, "grid_height": 3, "dataset": "demo"},
        (Case(_square(128), 8), Case(_square(256), 8)),
        Case(_square(64), 8),
        TINY | {"z_dim": 5},
    ),
    "pix2pix": Subject(
        _TRANSLATED | {"dataset": "demo", "input_from": "grey"},
        (Case(_square(256), 1), Case(_square(256), 4)),
        Case(_square(64), 4),
        TINY,
    ),
    "cyclegan": Subject(
        _TRANSLATED | {"inputs": "demo", "targets": "demo"},
        (Case(_square(128), 1),),
        Case(_square(64), 1),
        TINY | {"blocks": 1},
    ),
    "superres": Subject(
        _TRANSLATED | {"dataset": "demo", "scale": 4},
        (
            Case(_square(128), 4, {"net": "rrdb", "blocks": 6}, " of RRDB, 6 blocks"),
            Case(_square(128), 4, {"net": "pan"}, " of PAN"),
        ),
        Case(_square(32), 4),
        {"blocks": 1, "features": 4},
    ),
    "autoencoder": Subject(
        _TRANSLATED | {"dataset": "demo", "net": "oval"},
        (Case(Resolution(480, 360), 16),),
        Case(_square(64), 4),
        {"latent_channels": 2},
    ),
}


def measure(effort: Effort) -> list[Figure]:
    """MultitrainError where PyTorch is not installed."""
    if not find_spec("torch"):
        raise MultitrainError(f"PyTorch is missing: {how_to_install('bench')}")
    subject = SUBJECTS[effort.family]
    return [
        figure
        for case in ([subject.quick] if effort.quick else subject.cases)
        for precision in PRECISIONS
        for figure in _measured(effort, case, precision)
    ]


def job_of(effort: Effort, case: Case, precision: str) -> JobFile:
    """A job of the family with the sheet's defaults."""
    subject = SUBJECTS[effort.family]
    given = {"name": "standard", "video_length": 60, "family": effort.family}
    given |= {"batch_size": case.batch, "precision": precision, **subject.columns, **case.columns}
    spec = JobSpec.model_validate({**given, **(subject.narrow if effort.quick else {})})
    return JobFile(spec=spec, image_width=case.size.width, image_height=case.size.height)


def _measured(effort: Effort, case: Case, precision: str) -> Iterator[Figure]:
    job = job_of(effort, case, precision)
    size = QUICK_MATRIX if effort.quick else MATRIX
    cores = ("--cores", str(standard.CORES))
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, ExitStack() as stack:
        pictures = Path(folder) / "pictures.npy"
        np.save(pictures, standard.landscapes(PICTURES, *case.size))
        told = ("--job", job.model_dump_json(), "--pictures", str(pictures), *cores)
        of_product = ("--precision", precision, "--size", str(size), *cores)
        peers = {
            "ours": Peer("ours", *told, "--block", "1"),
            "PyTorch": Peer(f"torch_{effort.family}", *told),
            "products tensorflow": Peer("matrices", "tensorflow", *of_product),
            "products torch": Peer("matrices", "torch", *of_product),
        }
        for peer in peers.values():
            stack.enter_context(peer)
        for peer in peers.values():
            peer.wait_until_ready()
        amounts = amounts_for(peers, 0 if effort.quick else TURN_SECONDS)
        rounds = take_turns(peers, amounts, effort.repetitions)
    name = f"{effort.family}{case.title} {case.size}, batch {case.batch}, {precision}"
    yield from _figures(job, rounds, name, size)


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

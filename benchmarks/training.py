"""How fast the training is: beside a DCGAN in PyTorch, and beside the machine's matrix products.

Two cores; pictures of 160x90, a grid of 3x3, batches of 9, a frame after each update. Every
contender is a warm process of its own; they take turns of the same length.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks import flops, standard, training_families
from benchmarks.figures import Effort, Figure
from benchmarks.peers.process import Peer
from benchmarks.turns import Rounds, amounts_for, take_turns
from jobs.errors import MultitrainError, how_to_install
from jobs.sheets import operations

PRECISIONS = ("float32", "bfloat16")
FRAMEWORKS = ("tensorflow", "torch")
ON_JAX = "ours auto, engine jax"
TURN_SECONDS = 4.0
MATRIX, QUICK_MATRIX = 2048, 64  # rows and columns: beyond any cache

FASTER = 1.25  # than PyTorch in the same precision
FASTER_BY_DEFAULT = 2.1  # than PyTorch in its default, float32
SHARE = 65.0  # % of the rate of matrix products

# `RuntimeError: …`; not one that only announces the next: `BackendCompilerFailed: … raised:`
_EXCEPTION = re.compile(r"^\w[\w.]*: .*[^:\s]$", re.MULTILINE)


def measure(effort: Effort) -> list[Figure]:
    """MultitrainError where PyTorch is not installed."""
    if effort.family in training_families.SUBJECTS:
        return training_families.measure(effort)
    if not find_spec("torch"):
        raise MultitrainError(f"PyTorch is missing: {how_to_install('bench')}")
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, ExitStack() as stack:
        peers, missing = _start(effort, Path(folder), stack)
        amounts = amounts_for(peers, 0 if effort.quick else TURN_SECONDS)
        rounds = take_turns(peers, amounts, effort.repetitions)
    return list(_figures(effort, rounds, missing))


def _start(
    effort: Effort, folder: Path, stack: ExitStack
) -> tuple[Mapping[str, Peer], Mapping[str, str]]:
    """All contenders by name, warm, but for what PyTorch cannot compile: by name, why not."""
    pictures = save_pictures(effort, folder)
    size = str(QUICK_MATRIX if effort.quick else MATRIX)
    peers = {"ours auto": our_peer(effort, pictures, precision="auto")}
    if find_spec("jax"):
        peers[ON_JAX] = our_peer(effort, pictures, precision="auto", engine="jax")
    for precision in PRECISIONS:
        job = standard.standard_job(effort, precision=precision)
        told = ("--job", job.model_dump_json(), "--pictures", str(pictures))
        cores = ("--cores", str(standard.CORES))
        peers[f"ours {precision}"] = our_peer(effort, pictures, precision=precision)
        peers[f"PyTorch {precision}"] = Peer("torch_dcgan", *told, *cores)
        if not effort.quick:
            peers[f"PyTorch compiled {precision}"] = Peer("torch_dcgan", *told, *cores, "--compile")
        for framework in FRAMEWORKS:
            options = (framework, "--precision", precision, "--size", size)
            peers[f"products {framework} {precision}"] = Peer("matrices", *options, *cores)
    for peer in peers.values():
        stack.enter_context(peer)
    return take_ready(peers)


def take_ready(peers: Mapping[str, Peer]) -> tuple[Mapping[str, Peer], Mapping[str, str]]:
    """Those that can take part, and why the others cannot; only what is compiled may be unable."""
    ready, missing = {}, {}
    for name, peer in peers.items():
        try:
            peer.wait_until_ready()
            ready[name] = peer
        except MultitrainError as error:
            if "compiled" not in name:
                raise
            missing[name] = cause(str(error))
    return ready, missing


def cause(said: str) -> str:
    """The line of a traceback that tells the reason, else the first line."""
    return next(iter(_EXCEPTION.findall(said)), said.splitlines()[0])


def our_peer(effort: Effort, pictures: Path, *options: str, **columns: object) -> Peer:
    """Our engine on the standard job but for `columns`."""
    job = standard.standard_job(effort, **columns).model_dump_json()
    told = ("--job", job, "--pictures", str(pictures), "--cores", str(standard.CORES))
    return Peer("ours", *told, *options)


def equal_turns(stack: ExitStack, peers: Mapping[str, Peer], effort: Effort) -> Rounds:
    """Rounds in which all train as many steps as the slowest one does in `TURN_SECONDS`."""
    for peer in peers.values():
        stack.enter_context(peer)
    for peer in peers.values():
        peer.wait_until_ready()
    steps = 1 if effort.quick else min(amounts_for(peers, TURN_SECONDS).values())
    return take_turns(peers, dict.fromkeys(peers, steps), effort.repetitions)


def save_pictures(effort: Effort, folder: Path) -> Path:
    """The data set of the standard job, as peers read it."""
    job = standard.standard_job(effort)
    count = standard.QUICK_PICTURES if effort.quick else standard.PICTURES
    path = folder / "pictures.npy"
    np.save(path, standard.landscapes(count, job.image_width, job.image_height))
    return path


def _figures(effort: Effort, rounds: Rounds, missing: Mapping[str, str]) -> Iterator[Figure]:
    for ours, theirs, limit in (
        *((precision, precision, FASTER) for precision in PRECISIONS),
        ("auto", "float32", FASTER_BY_DEFAULT),
    ):
        figure = _beside_torch(effort, rounds, ours, theirs, limit)
        yield replace(figure, note=_without(missing, theirs))
    for precision in PRECISIONS:
        yield _beside_products(effort, rounds, precision)
    if ON_JAX in rounds.seconds:
        per_step = standard.standard_job(effort).spec.frames_per_step
        beside = {f"{ON_JAX}, frames/s": per_step * rounds.rate(ON_JAX)}
        speedup = rounds.speedup(ON_JAX, over="ours auto")
        yield Figure("training, engine jax / tensorflow", speedup, "x", None, True, beside)


def _beside_torch(
    effort: Effort, rounds: Rounds, precision: str, theirs: str, limit: float
) -> Figure:
    per_step = standard.standard_job(effort).spec.frames_per_step
    ours = f"ours {precision}"
    candidates = [name for name in rounds.seconds if name in _torches(theirs)]
    peer = rounds.fastest(candidates)
    return Figure(
        name=f"training {precision} / PyTorch {theirs}",
        value=rounds.speedup(ours, over=peer),
        unit="x",
        limit=limit,
        at_least=True,
        beside={f"{name}, frames/s": per_step * rounds.rate(name) for name in [ours, *candidates]},
    )


def _without(missing: Mapping[str, str], precision: str) -> str:
    """Which of PyTorch's contenders there was not, and why."""
    named = [name for name in _torches(precision) if name in missing]
    return "; ".join(f"without {name}: {missing[name]}" for name in named)


def _torches(precision: str) -> tuple[str, str]:
    return f"PyTorch {precision}", f"PyTorch compiled {precision}"


def _beside_products(effort: Effort, rounds: Rounds, precision: str) -> Figure:
    ours = f"ours {precision}"
    products = rounds.fastest([f"products {framework} {precision}" for framework in FRAMEWORKS])
    step = operations.of_step(standard.standard_job(effort))
    product = flops.of_product(QUICK_MATRIX if effort.quick else MATRIX)
    return Figure(
        name=f"training {precision}, share of matrix products",
        value=100 * rounds.speedup(ours, over=products) * step / product,
        unit="%",
        limit=SHARE,
        at_least=True,
        beside={
            "training, GFLOP/s": step * rounds.rate(ours) / 1e9,
            f"{products}, GFLOP/s": product * rounds.rate(products) / 1e9,
        },
    )

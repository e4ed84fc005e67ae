"""The machine's own rate: large square matrix products; a unit is one product."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.peers.answering import answer, share_cores


def main() -> None:
    """Multiply at request."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.matrices")
    parser.add_argument("framework", choices=FRAMEWORKS)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), required=True)
    parser.add_argument("--size", type=int, required=True, help="rows and columns")
    parser.add_argument("--cores", type=int, required=True)
    given = parser.parse_args()
    share_cores(given.cores)
    os.environ["OMP_NUM_THREADS"] = str(given.cores)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    left, right = np.random.default_rng(0).standard_normal((2, given.size, given.size), np.float32)
    multiply = FRAMEWORKS[given.framework](left, right, given.precision, given.cores)

    def work(products: int) -> None:
        for _ in range(products):
            multiply()

    work(2)
    answer(work)


def _tensorflow(left: Any, right: Any, precision: str, cores: int) -> Callable[[], Any]:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(cores)
    a, b = (tf.cast(tf.constant(each), precision) for each in (left, right))
    return tf.function(lambda: tf.matmul(a, b))  # type: ignore[no-any-return]


def _torch(left: Any, right: Any, precision: str, cores: int) -> Callable[[], Any]:
    import torch

    torch.set_num_threads(cores)
    a, b = (torch.from_numpy(each).to(getattr(torch, precision)) for each in (left, right))
    return lambda: torch.mm(a, b)


FRAMEWORKS: dict[str, Callable[[Any, Any, str, int], Callable[[], Any]]] = {
    "tensorflow": _tensorflow,
    "torch": _torch,
}


if __name__ == "__main__":
    main()

"""Recognizes a lack of memory, whichever library reports it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from jobs.errors import MultitrainError, OutOfMemory

ADVICE = "lower batch_size, gf_dim and df_dim, or the grid; or train on more than one GPU (gpus: 2)"

_SIGNS = re.compile(
    r"RESOURCE_EXHAUSTED|out[ _]of[ _]memory|OOM when allocating|failed to allocate"
    r"|CUDA_ERROR_OUT_OF_MEMORY|CU(BLAS|DNN|SOLVER|FFT)_STATUS_(ALLOC_FAILED|NOT_INITIALIZED)"
    r"|Failed to create cu(BLAS|DNN|Solver) handle|could not create cu(BLAS|DNN) handle",
    re.IGNORECASE,
)


def is_lack_of_memory(error: BaseException) -> bool:
    """Whether `error`, or what caused it, says that memory ran out."""
    return any(
        isinstance(each, MemoryError)
        or type(each).__name__ == "ResourceExhaustedError"
        or (not isinstance(each, MultitrainError) and _SIGNS.search(str(each)) is not None)
        for each in causes(error)
    )


@contextmanager
def memory_watched() -> Iterator[None]:
    """Turns a lack of memory inside into OutOfMemory with advice."""
    try:
        yield
    except OutOfMemory:
        raise
    except Exception as error:
        if not is_lack_of_memory(error):
            raise
        raise OutOfMemory(f"there is too little memory for this job: {ADVICE}") from error


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """`error`, what caused it, what caused that, …"""
    while error is not None:
        yield error
        error = error.__cause__

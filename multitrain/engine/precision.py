"""The precision at which networks compute: what a job asks for, or what suits the processor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import keras

CPUINFO = Path("/proc/cpuinfo")
BFLOAT16_CAPABILITY = (8, 0)  # CUDA's, of Ampere: the first with bfloat16 tensor cores

_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}

# Arithmetic, not only conversion: x86 as the kernel names it, and Arm.
_BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}


@contextmanager
def computing_in(precision: str, has_native_bfloat16: Callable[[], bool]) -> Iterator[None]:
    """Networks built in this context compute in `float32` or `bfloat16`; `auto` chooses.

    Their weights are float32 in any case, so a checkpoint fits both.
    """
    if precision == "auto":
        precision = "bfloat16" if has_native_bfloat16() else "float32"
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(_POLICIES[precision])
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def cpu_has_native_bfloat16() -> bool:
    """Whether the processor computes in bfloat16, as the kernel says; False if that is unknown."""
    try:
        lines = CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    flags = {
        flag for line in lines if line.startswith(("flags", "Features")) for flag in line.split()
    }
    return bool(flags & _BFLOAT16_FLAGS)

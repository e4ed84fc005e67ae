"""Sets up TensorFlow's devices. Once per process, before anything is computed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from jobs.errors import DeviceFailed, MultitrainError
from multitrain.engine.device_memory import gpu_bytes
from multitrain.engine.session import SessionSettings
from multitrain.slots import GPUS_LEASED

CPUINFO = Path("/proc/cpuinfo")

_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}

# Arithmetic, not only conversion: x86 as the kernel names it, and Arm.
_BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}
_BFLOAT16_CAPABILITY = (8, 0)  # Ampere, the first with bfloat16 tensor cores


def strategy_for(gpus: int, settings: SessionSettings) -> Any:
    """A `tf.distribute.Strategy` of `gpus` replicas: on GPUs, else on the CPU.

    Raises MultitrainError where fewer GPUs are visible; DeviceFailed where the job has leased them.
    """
    visible = tf.config.list_physical_devices("GPU")
    leased = os.environ.get(GPUS_LEASED, "")
    if leased and len(visible) < gpus:
        raise DeviceFailed(
            f"TensorFlow sees {len(visible) or 'none'} of this job's GPUs ({leased}). Either its "
            "CUDA libraries are not installed: pip install -e '.[cuda]'; or these GPUs do not work"
        )
    for gpu in visible:
        tf.config.experimental.set_memory_growth(gpu, True)
    if settings.threads:
        tf.config.threading.set_intra_op_parallelism_threads(settings.threads)
        tf.config.threading.set_inter_op_parallelism_threads(settings.threads)
    if settings.deterministic:
        tf.config.experimental.enable_op_determinism()
    if gpus == 1:
        return tf.distribute.OneDeviceStrategy("GPU:0" if visible else "CPU:0")
    if visible and len(visible) < gpus:
        raise MultitrainError(
            f"the job wants {gpus} GPUs and sees {len(visible)}; lower gpus or add GPUs to the farm"
        )
    devices = _names("GPU", gpus) if visible else _logical_cpus(gpus)
    return tf.distribute.MirroredStrategy(devices)


def compiles_with_xla(jit: str, gpus: int) -> bool:
    """Whether XLA compiles the steps. `auto`: on one GPU; on CPUs it runs at half the speed.

    Not the steps of replicas: what they tell each other cannot be part of a compiled step.
    """
    if jit == "auto":
        return gpus == 1 and bool(tf.config.list_physical_devices("GPU"))
    return jit == "on"


def device_bytes() -> int | None:
    """What a data set has to fit on; None where it is unknown, or as large as the disk: on CPUs."""
    return gpu_bytes() if tf.config.list_physical_devices("GPU") else None


@contextmanager
def computing_in(precision: str) -> Iterator[None]:
    """Networks that are described meanwhile compute in `float32` or `bfloat16`, or as `auto` finds.

    Their weights are float32 in any case, so a checkpoint fits both.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(_POLICIES[_resolved(precision)])
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _resolved(precision: str) -> str:
    if precision != "auto":
        return precision
    return "bfloat16" if _has_native_bfloat16() else "float32"


def _has_native_bfloat16() -> bool:
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return bool(_cpu_flags() & _BFLOAT16_FLAGS)
    details = tf.config.experimental.get_device_details(gpus[0])
    return bool(details.get("compute_capability", (0, 0)) >= _BFLOAT16_CAPABILITY)


def _cpu_flags() -> set[str]:
    """What the kernel says that the processor can do; nothing where it cannot be asked."""
    try:
        lines = CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    return {
        flag for line in lines if line.startswith(("flags", "Features")) for flag in line.split()
    }


def _logical_cpus(count: int) -> list[str]:
    cpu = tf.config.list_physical_devices("CPU")[0]
    parts = [tf.config.LogicalDeviceConfiguration() for _ in range(count)]
    tf.config.set_logical_device_configuration(cpu, parts)
    return _names("CPU", count)


def _names(kind: str, count: int) -> list[str]:
    return [f"{kind}:{number}" for number in range(count)]

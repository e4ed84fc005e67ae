"""Sets up TensorFlow's devices. Once per process, before anything is computed."""

from __future__ import annotations

import os
from typing import Any

import tensorflow as tf

from jobs.errors import DeviceFailed, MultitrainError, how_to_install
from multitrain.engine.device_memory import gpu_bytes
from multitrain.engine.precision import BFLOAT16_CAPABILITY, cpu_has_native_bfloat16
from multitrain.engine.session import SessionSettings
from multitrain.protocol.environment import GPUS_LEASED


def strategy_for(gpus: int, settings: SessionSettings) -> Any:
    """A `tf.distribute.Strategy` of `gpus` replicas: on GPUs, else on the CPU.

    Raises MultitrainError where fewer GPUs are visible; DeviceFailed where the job has leased them.
    """
    visible = tf.config.list_physical_devices("GPU")
    leased = os.environ.get(GPUS_LEASED, "")
    if leased and len(visible) < gpus:
        raise DeviceFailed(
            f"TensorFlow sees {len(visible) or 'none'} of this job's GPUs ({leased}). Either its "
            f"CUDA libraries are not installed: {how_to_install('cuda')}; or these GPUs do not work"
        )
    for gpu in visible:
        tf.config.experimental.set_memory_growth(gpu, True)
    if settings.threads:
        tf.config.threading.set_intra_op_parallelism_threads(settings.threads)
        tf.config.threading.set_inter_op_parallelism_threads(settings.threads)
    # Remapping fuses convolutions with what follows, also where there is no kernel for both: tanh
    # behind batch normalization, mish. What it gains elsewhere cannot be measured.
    tf.config.optimizer.set_experimental_options({"remapping": False})
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

    Never for replicas, for which sheets refuse `on`: XLA cannot compile what they exchange.
    """
    if jit == "auto":
        return gpus == 1 and bool(tf.config.list_physical_devices("GPU"))
    return jit == "on"


def device_bytes() -> int | None:
    """Bytes of the memory that a data set has to fit into; None where unknown, and on CPUs."""
    return gpu_bytes() if tf.config.list_physical_devices("GPU") else None


def has_native_bfloat16() -> bool:
    """Whether the GPU computes in bfloat16, or the processor where there is none."""
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return cpu_has_native_bfloat16()
    details = tf.config.experimental.get_device_details(gpus[0])
    return bool(details.get("compute_capability", (0, 0)) >= BFLOAT16_CAPABILITY)


def _logical_cpus(count: int) -> list[str]:
    cpu = tf.config.list_physical_devices("CPU")[0]
    parts = [tf.config.LogicalDeviceConfiguration() for _ in range(count)]
    tf.config.set_logical_device_configuration(cpu, parts)
    return _names("CPU", count)


def _names(kind: str, count: int) -> list[str]:
    return [f"{kind}:{number}" for number in range(count)]

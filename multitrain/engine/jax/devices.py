"""Sets up JAX's devices. Once per process, before anything is computed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import jax

from jobs.errors import DeviceFailed, MultitrainError, how_to_install
from multitrain.engine.precision import BFLOAT16_CAPABILITY
from multitrain.engine.session import SessionSettings
from multitrain.protocol.environment import GPUS_LEASED

# Same bits at every run on GPUs: no kernels that sum in any order, none chosen by a race.
_DETERMINISTIC = ("--xla_gpu_deterministic_ops=true", "--xla_gpu_autotune_level=0")

Devices = Sequence[Any]


def devices_for(gpus: int, settings: SessionSettings) -> Devices:
    """`gpus` devices: GPUs, else the CPU, which then counts as several.

    Raises MultitrainError where fewer GPUs are visible; DeviceFailed where the job has leased them.
    """
    leased = os.environ.get(GPUS_LEASED)
    _set_up(gpus, settings, on_cores=leased == "")
    visible = _visible_gpus()
    if leased and len(visible) < gpus:
        raise DeviceFailed(
            f"JAX sees {len(visible) or 'none'} of this job's GPUs ({leased}). Either its CUDA "
            f"libraries are not installed: {how_to_install('jax-cuda')}; or these GPUs do not work"
        )
    devices: Devices = visible or jax.devices("cpu")
    if len(devices) < gpus:
        raise MultitrainError(
            f"the job wants {gpus} GPUs and sees {len(visible)}; lower gpus or add GPUs to the farm"
        )
    return devices[:gpus]


def is_gpu(device: Any) -> bool:
    """Whether the device has memory of its own."""
    return bool(device.platform != "cpu")


def has_native_bfloat16(device: Any) -> bool:
    """Whether the device computes in bfloat16. CPUs do not: there XLA converts, which is slower."""
    version = str(getattr(device, "compute_capability", "")).split(".")
    return tuple(int(part) for part in version if part.isdigit()) >= BFLOAT16_CAPABILITY


def _set_up(gpus: int, settings: SessionSettings, on_cores: bool) -> None:
    """Set what JAX reads when it first looks for devices; later it changes nothing."""
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    if settings.threads:
        os.environ["NPROC"] = str(settings.threads)  # else XLA uses a thread for each core
    if settings.deterministic:
        flags = dict.fromkeys([*os.environ.get("XLA_FLAGS", "").split(), *_DETERMINISTIC])
        os.environ["XLA_FLAGS"] = " ".join(flags)
    with suppress(RuntimeError):  # the devices are known already
        if on_cores:
            jax.config.update("jax_platforms", "cpu")
        if gpus > 1:
            jax.config.update("jax_num_cpu_devices", gpus)


def _visible_gpus() -> Devices:
    try:
        gpus: Devices = jax.devices("gpu")
    except RuntimeError:  # there is no such platform here
        return []
    return gpus

"""What this machine offers: its slots, and defaults that fit its size."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from multitrain.gpus import GpuPool, NvmlDriver, choose, default_lease_folder
from multitrain.slots import CpuPool, Pool, available_cores

CORES_PER_CPU_SLOT = 4  # one small network keeps about so many busy
CORES_PER_ENCODER = 4
LARGEST_SPOOL = 32 * 2**30  # bytes
SPOOL_SHARE = 0.25  # of the free disk


def open_pool(gpus: str, slots: int | None, note: Callable[[str], None]) -> Pool:
    """The slots that `--gpus` and `--slots` name.

    Where the machine has no GPU at all, CPU cores serve instead, and `note` says so. UsageError
    where a GPU is named that is not there.
    """
    if gpus != "cpu":
        driver = NvmlDriver()
        found = driver.gpus()
        chosen = choose(found, gpus, os.environ.get("CUDA_VISIBLE_DEVICES")) if found else []
        if chosen:
            return GpuPool(driver, chosen, default_lease_folder())
        note("no NVIDIA GPU here: training on CPU cores, which is slow")
    cores = available_cores()
    return CpuPool(slots or max(1, len(cores) // CORES_PER_CPU_SLOT), cores)


def default_encoders() -> int:
    """How many ffmpeg processes leave the trainers room."""
    return max(1, len(available_cores()) // CORES_PER_ENCODER)


def default_spool_bytes(folder: Path) -> int:
    """For all jobs together, by what is free on the disk that holds `folder`."""
    return min(LARGEST_SPOOL, round(shutil.disk_usage(folder).free * SPOOL_SHARE))

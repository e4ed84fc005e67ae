"""What this machine offers: its slots, and defaults that fit its size."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from jobs.errors import UsageError
from multitrain.gpus import (
    DriverError,
    Gpu,
    GpuDriver,
    GpuPool,
    NvmlDriver,
    choose,
    default_lease_folder,
)
from multitrain.slots import CpuPool, Pool, available_cores

CORES_PER_CPU_SLOT = 4  # one small network keeps about so many busy
CORES_PER_ENCODER = 4
LARGEST_SPOOL = 32 * 2**30  # bytes
SPOOL_SHARE = 0.25  # of the free disk

_GPU = r"\s*([0-9]+|GPU-[0-9a-fA-F-]+)\s*"
_GPUS = re.compile(f"all|{_GPU}(,{_GPU})*")


def open_pool(
    gpus: str, slots: int | None, note: Callable[[str], None], driver: GpuDriver | None = None
) -> Pool:
    """The slots that `--gpus` and `--slots` name.

    On a machine without NVIDIA's driver, CPU cores serve instead, and `note` says so; likewise
    where `all` finds no GPU. UsageError where the options make no sense here.
    """
    driver = driver or NvmlDriver()
    if gpus != "cpu":
        if not _GPUS.fullmatch(gpus):
            raise UsageError(f"--gpus must be all, cpu or a list such as 0,1, not {gpus!r}")
        chosen = _choose(driver, gpus, note)
        if chosen and slots:
            raise UsageError("--slots counts jobs on CPU cores; add --gpus cpu or leave it out")
        if chosen:
            return GpuPool(driver, chosen, default_lease_folder())
        note("no NVIDIA GPU here: training on CPU cores, which is slow")
    cores = available_cores()
    return CpuPool(slots or max(1, len(cores) // CORES_PER_CPU_SLOT), cores)


def _choose(driver: GpuDriver, gpus: str, note: Callable[[str], None]) -> list[Gpu]:
    try:
        found = driver.gpus()
    except DriverError as error:
        if gpus != "all":
            raise UsageError(f"--gpus {gpus}: {error}") from error
        note(str(error))
        return []
    return choose(found, gpus, os.environ.get("CUDA_VISIBLE_DEVICES")) if found else []


def default_encoders() -> int:
    """How many ffmpeg processes leave the trainers room."""
    return max(1, len(available_cores()) // CORES_PER_ENCODER)


def default_spool_bytes(folder: Path) -> int:
    """For all jobs together, by what is free on the disk that holds `folder`."""
    return min(LARGEST_SPOOL, round(shutil.disk_usage(folder).free * SPOOL_SHARE))

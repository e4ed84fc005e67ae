"""What this machine offers: its slots, and defaults that fit its size."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from jobs.errors import UsageError
from multitrain.gpu_driver import DriverError, Gpu, GpuDriver
from multitrain.gpus import GpuPool, choose
from multitrain.leases import LeaseFolder, default_lease_folder
from multitrain.nvml import NvmlDriver
from multitrain.patient_driver import PatientDriver
from multitrain.slots import CpuPool, Pool, available_cores

CORES_PER_CPU_SLOT = 4  # one small network keeps about so many busy
CORES_PER_ENCODER = 4
LARGEST_SPOOL = 32 * 2**30  # bytes
SPOOL_SHARE = 0.25  # of the free disk
MOST_KEPT_FREE = 2 * 2**30  # bytes: for encoders, logs and everybody else
KEPT_FREE_SHARE = 0.05  # of the whole disk, where that is less

_ADVICE = "mend it, or run with --gpus cpu"

_GPU = r"\s*([0-9]+|GPU-[0-9a-fA-F-]+)\s*"
_GPUS = re.compile(f"all|{_GPU}(,{_GPU})*")


def open_pool(
    gpus: str, slots: int | None, note: Callable[[str], None], driver: GpuDriver | None = None
) -> Pool:
    """The slots that `--gpus` and `--slots` name.

    On a machine without NVIDIA's driver, CPU cores serve instead, and `note` says so; likewise
    where `all` finds no GPU. UsageError where the options make no sense here, and where GPUs are
    there that do not work: a night on CPU cores by mistake is a night lost.
    """
    if gpus != "cpu":
        if not _GPUS.fullmatch(gpus):
            raise UsageError(f"--gpus must be all, cpu or a list such as 0,1, not {gpus!r}")
        driver = driver or PatientDriver(NvmlDriver())
        chosen = _choose(driver, gpus, note)
        if chosen and slots:
            raise UsageError("--slots counts jobs on CPU cores; add --gpus cpu or leave it out")
        if chosen:
            return _gpu_pool(driver, chosen)
        note("no NVIDIA GPU here: training on CPU cores, which is slow")
    cores = available_cores()
    return CpuPool(slots or max(1, len(cores) // CORES_PER_CPU_SLOT), cores)


def _choose(driver: GpuDriver, gpus: str, note: Callable[[str], None]) -> list[Gpu]:
    """The GPUs to use; none on a machine without them."""
    try:
        found = driver.gpus()
    except DriverError as error:
        raise UsageError(f"--gpus {gpus}: {error}; {_ADVICE}") from error
    chosen = choose(found, gpus, os.environ.get("CUDA_VISIBLE_DEVICES")) if found else []
    sound = [gpu for gpu in chosen if not gpu.trouble]
    broken = [f"{gpu.slot.label} cannot be used: {gpu.trouble}" for gpu in chosen if gpu.trouble]
    if broken and (gpus != "all" or not sound):
        raise UsageError(f"--gpus {gpus}: {', '.join(broken)}; {_ADVICE}")
    for line in broken:
        note(f"{line}; the others are used")
    return sound


def _gpu_pool(driver: GpuDriver, gpus: Sequence[Gpu]) -> GpuPool:
    folder = default_lease_folder()
    try:
        for gpu in gpus:
            LeaseFolder(folder).is_free(gpu.uuid)
    except OSError as error:
        raise UsageError(
            f"GPUs cannot be leased: {error}; mend that, or name another folder for all farms of "
            "this machine in MULTITRAIN_LEASES"
        ) from error
    return GpuPool(driver, gpus, folder)


def default_encoders() -> int:
    """How many ffmpeg processes leave the trainers room."""
    return max(1, len(available_cores()) // CORES_PER_ENCODER)


def default_spool_bytes(folder: Path) -> int:
    """For all jobs together, by what is free on the disk that holds `folder`."""
    return min(LARGEST_SPOOL, round(shutil.disk_usage(folder).free * SPOOL_SHARE))


def default_keep_free_bytes(folder: Path) -> int:
    """Of the disk that holds `folder`: with less room than this, trainers wait."""
    return min(MOST_KEPT_FREE, round(shutil.disk_usage(folder).total * KEPT_FREE_SHARE))

"""The slots that `--gpus` and `--slots` name on this machine."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence

from jobs.errors import UsageError
from multitrain.driver.driver import DriverError, Gpu, GpuDriver
from multitrain.driver.nvml import NvmlDriver
from multitrain.driver.patient import PatientDriver
from multitrain.machine.cores import available_cores
from multitrain.slots.cpu import CpuPool
from multitrain.slots.gpus import GpuPool, choose
from multitrain.slots.leases import LeaseFolder, default_lease_folder
from multitrain.slots.slots import Pool

CORES_PER_CPU_SLOT = 4  # a small network keeps about so many busy

_ADVICE = "mend it, or run with --gpus cpu"

_GPU = r"\s*([0-9]+|GPU-[0-9a-fA-F-]+)\s*"
_GPUS = re.compile(f"all|{_GPU}(,{_GPU})*")


def open_pool(
    gpus: str,
    slots: int | None,
    note: Callable[[str], None],
    driver: GpuDriver | None = None,
    per_gpu: int = 1,
) -> Pool:
    """The slots that `--gpus`, `--slots` and `--per-gpu` name.

    On a machine without NVIDIA's driver, CPU cores serve instead, and `note` gets a message;
    likewise where `all` finds no GPU. UsageError where the options make no sense here, and where
    there are GPUs that do not work: a night on CPU cores by mistake is a night lost.
    """
    if gpus != "cpu":
        if not _GPUS.fullmatch(gpus):
            raise UsageError(f"--gpus must be all, cpu or a list such as 0,1, not {gpus!r}")
        driver = driver or PatientDriver(NvmlDriver())
        chosen = _choose(driver, gpus, note)
        if chosen and slots:
            raise UsageError("--slots counts jobs on CPU cores; add --gpus cpu or leave it out")
        if chosen:
            return _gpu_pool(driver, chosen, per_gpu)
        note("no NVIDIA GPU here: training on CPU cores, which is slow")
    if per_gpu > 1:
        note("--per-gpu means nothing on CPU cores; --slots says how many jobs share them")
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
    broken = [f"gpu {gpu.index} cannot be used: {gpu.trouble}" for gpu in chosen if gpu.trouble]
    if broken and (gpus != "all" or not sound):
        raise UsageError(f"--gpus {gpus}: {', '.join(broken)}; {_ADVICE}")
    for line in broken:
        note(f"{line}; the others are used")
    return sound


def _gpu_pool(driver: GpuDriver, gpus: Sequence[Gpu], per_gpu: int) -> GpuPool:
    folder = default_lease_folder()
    try:
        for gpu in gpus:
            LeaseFolder(folder).is_free(gpu.uuid)
    except OSError as error:
        raise UsageError(
            f"GPUs cannot be leased: {error}; mend that, or name another folder for all farms of "
            "this machine in MULTITRAIN_LEASES"
        ) from error
    return GpuPool(driver, gpus, folder, per_gpu=per_gpu)

"""NVIDIA GPUs: what the driver says of them, and a pool of slots with one lease file per GPU.

Leases are `flock`s on a file named by the GPU's UUID in a folder that all farms of the machine
share. The trainer inherits the descriptor, so two farms never share a GPU by accident and a lease
dies with its process, however that ended.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from jobs.errors import MultitrainError, UsageError
from multitrain.slots import Lease, Slot

QUERY_SECONDS = 1.0  # the driver is asked at most this often
MEMORY_BACK = 0.9  # of what was free before a job: counts as given back
MEMORY_BACK_SECONDS = 60.0  # so long is it waited for; then others may be at work there
MEMORY_NEEDED = 0.5  # of the card: with less free, somebody else is at work on it


class DriverError(MultitrainError):
    """The driver does not answer, or there is none."""


@dataclass(frozen=True)
class Gpu:
    """What the driver says of one GPU; memory in bytes."""

    index: int
    uuid: str
    name: str
    memory_total: int
    memory_free: int
    processes: tuple[int, ...] = ()  # pids that compute on it

    @property
    def slot(self) -> Slot:
        return Slot(self.uuid, f"gpu {self.index}")


class GpuDriver(Protocol):
    """The part of NVML that the farm needs; tests give a fake one."""

    def gpus(self) -> list[Gpu]:
        """All GPUs by index; none on a machine without a driver. DriverError where it fails."""


class NvmlDriver:
    """NVML through nvidia-ml-py."""

    def gpus(self) -> list[Gpu]:
        import pynvml

        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError_LibraryNotFound:
            return []
        except pynvml.NVMLError as error:
            raise DriverError(f"the NVIDIA driver does not start: {error}") from error
        try:
            return [_read(pynvml, index) for index in range(pynvml.nvmlDeviceGetCount())]
        except pynvml.NVMLError as error:
            raise DriverError(f"the NVIDIA driver fails: {error}") from error
        finally:
            pynvml.nvmlShutdown()


def _read(pynvml: Any, index: int) -> Gpu:
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    try:
        processes = pynvml.nvmlDeviceGetComputeRunningProcesses(handle)
    except pynvml.NVMLError_NotSupported:  # some virtual GPUs: their memory tells enough
        processes = []
    return Gpu(
        index=index,
        uuid=pynvml.nvmlDeviceGetUUID(handle),
        name=pynvml.nvmlDeviceGetName(handle),
        memory_total=memory.total,
        memory_free=memory.free,
        processes=tuple(process.pid for process in processes),
    )


def default_lease_folder() -> Path:
    """One for the whole machine, whoever runs the farm; `MULTITRAIN_LEASES` names another."""
    named = os.environ.get("MULTITRAIN_LEASES")
    return Path(named) if named else Path(tempfile.gettempdir()) / "multitrain-leases"


def choose(gpus: Sequence[Gpu], wanted: str, visible: str | None) -> list[Gpu]:
    """The GPUs that `--gpus` and an existing `CUDA_VISIBLE_DEVICES` leave to the farm.

    `wanted` is `all` or a list of indices or UUIDs; `visible` is the variable's value, or None.
    UsageError where one of the list is not there.
    """
    if visible is not None:
        found = [_find(gpus, name) for name in visible.split(",")]
        gpus = [gpu for gpu in found if gpu]
    if wanted == "all":
        return list(gpus)
    chosen: list[Gpu] = []
    for name in wanted.split(","):
        gpu = _find(gpus, name)
        if gpu is None:
            there = ", ".join(f"{gpu.index} ({gpu.name})" for gpu in gpus) or "none"
            raise UsageError(f"--gpus: there is no GPU {name.strip()!r} here; there are: {there}")
        if gpu not in chosen:
            chosen.append(gpu)
    return chosen


def _find(gpus: Sequence[Gpu], name: str) -> Gpu | None:
    """The GPU of this index, UUID or beginning of a UUID."""
    name = name.strip()
    found = (gpu for gpu in gpus if str(gpu.index) == name or gpu.uuid.startswith(name or " "))
    return next(found, None)


class GpuPool:
    """Slots on GPUs. A GPU is free when nobody leases it and nobody else computes on it."""

    def __init__(self, driver: GpuDriver, gpus: Sequence[Gpu], lease_folder: Path) -> None:
        self._driver = driver
        self._uuids = [gpu.uuid for gpu in gpus]
        self._folder = lease_folder
        self._leased: set[str] = set()
        self._memory_before: dict[str, int] = {}  # free bytes when a job of ours came
        self._released_at: dict[str, float] = {}
        self._known: dict[str, Gpu] = {}
        self._asked_at = float("-inf")
        self._driver_error = ""
        self._reasons: dict[str, str] = {}

    @property
    def size(self) -> int:
        return len(self._uuids)

    def free(self, now: float) -> list[Slot]:
        self._ask(now)
        self._reasons = {"the driver": self._driver_error} if self._driver_error else {}
        known = [self._known[uuid] for uuid in self._uuids if uuid in self._known]
        unleased = [gpu for gpu in known if gpu.uuid not in self._leased]
        return [gpu.slot for gpu in unleased if not self._is_occupied(gpu, now)]

    def _ask(self, now: float) -> None:
        if now - self._asked_at < QUERY_SECONDS:
            return
        self._asked_at = now
        self._known, self._driver_error = {}, ""
        try:
            self._known = {gpu.uuid: gpu for gpu in self._driver.gpus()}
        except DriverError as error:
            self._driver_error = str(error)

    def _is_occupied(self, gpu: Gpu, now: float) -> bool:
        """Whether somebody else is on this GPU; remembers the reason."""
        needed = gpu.memory_total * MEMORY_NEEDED
        if now - self._released_at.get(gpu.uuid, float("-inf")) < MEMORY_BACK_SECONDS:
            needed = self._memory_before[gpu.uuid] * MEMORY_BACK
        if gpu.processes:
            reason = f"in use by process {', '.join(map(str, gpu.processes))}"
        elif gpu.memory_free < needed:
            reason = f"its memory is taken: {gpu.memory_free / 2**30:.1f} GiB are free"
        elif not _can_lock(self._folder, gpu.uuid):
            reason = "leased by another farm"
        else:
            return False
        self._reasons[gpu.slot.label] = reason
        return True

    def acquire(self, slots: Sequence[Slot]) -> Lease | None:
        descriptors: list[int] = []
        for slot in slots:
            descriptor = _lock(self._folder, slot.id)
            if descriptor is None:
                for taken in descriptors:
                    os.close(taken)
                return None
            descriptors.append(descriptor)
        for slot in slots:
            self._leased.add(slot.id)
            self._memory_before[slot.id] = self._known[slot.id].memory_free
        visible = ",".join(slot.id for slot in slots)
        return Lease(tuple(slots), {"CUDA_VISIBLE_DEVICES": visible}, tuple(descriptors))

    def release(self, lease: Lease, now: float) -> None:
        for descriptor in lease.descriptors:
            os.close(descriptor)
        for slot in lease.slots:
            self._leased.discard(slot.id)
            self._released_at[slot.id] = now
        self._asked_at = float("-inf")  # what the driver said before is out of date

    def busy_reasons(self) -> dict[str, str]:
        return dict(self._reasons)


def _lock(folder: Path, uuid: str) -> int | None:
    """A descriptor that holds the lease of this GPU; None where somebody else does."""
    descriptor = _open_lease(folder, uuid)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _open_lease(folder: Path, uuid: str) -> int:
    # Farms of other users lease the same GPUs: the folder is like /tmp, and a file that is there is
    # opened for reading only, which is all that flock needs.
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o1777)
    path = folder / uuid
    if not path.exists():
        path.touch()
        path.chmod(0o644)
    return os.open(path, os.O_RDONLY)


def _can_lock(folder: Path, uuid: str) -> bool:
    descriptor = _lock(folder, uuid)
    if descriptor is not None:
        os.close(descriptor)
    return descriptor is not None

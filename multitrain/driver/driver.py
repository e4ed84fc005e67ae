"""What a farm asks of NVIDIA's driver, and what the driver says of each GPU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jobs.errors import MultitrainError


class DriverError(MultitrainError):
    """The driver does not answer, or there is none."""


class NoAnswerYet(DriverError):
    """The driver was asked a moment ago: its previous answer may still be taken for true."""


@dataclass(frozen=True)
class Gpu:
    """What the driver says of one GPU; memory in bytes, 0 of 0 where it does not say."""

    index: int
    uuid: str  # empty where not even this can be read
    name: str
    memory_total: int
    memory_free: int
    processes: tuple[int, ...] = ()  # pids that compute on it
    trouble: str = ""  # why it cannot be used
    tells_processes: bool = True  # False: it never says who computes on it
    load: int | None = None  # percent of the time in which it computed; None: it does not say
    temperature: int | None = None  # degrees Celsius
    memory_by_process: tuple[tuple[int, int], ...] = ()  # pid, bytes: of those that it knows


class GpuDriver(Protocol):
    """The part of NVML that the farm needs; tests give a fake one."""

    def gpus(self) -> list[Gpu]:
        """All GPUs by index; none on a machine without a driver. DriverError where it fails."""


@runtime_checkable
class AskedAhead(GpuDriver, Protocol):
    """A driver whose next answer may be to a question that was asked some time ago."""

    def forget(self) -> None:
        """Ignore the answer to come: things have changed since the question was asked."""

"""What a farm asks of NVIDIA's driver, and what it is told of each GPU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jobs.errors import MultitrainError
from multitrain.slots import Slot


class DriverError(MultitrainError):
    """The driver does not answer, or there is none."""


class NoAnswerYet(DriverError):
    """The driver has been asked a moment ago: what it said before may still be taken for true."""


@dataclass(frozen=True)
class Gpu:
    """What the driver says of one GPU; memory in bytes, 0 of 0 where it does not tell."""

    index: int
    uuid: str  # empty where not even this can be read
    name: str
    memory_total: int
    memory_free: int
    processes: tuple[int, ...] = ()  # pids that compute on it
    trouble: str = ""  # why it cannot be used

    @property
    def slot(self) -> Slot:
        return Slot(self.uuid, f"gpu {self.index}")


class GpuDriver(Protocol):
    """The part of NVML that the farm needs; tests give a fake one."""

    def gpus(self) -> list[Gpu]:
        """All GPUs by index; none on a machine without a driver. DriverError where it fails."""


@runtime_checkable
class AskedAhead(GpuDriver, Protocol):
    """A driver whose next answer may be to a question of some time ago."""

    def forget(self) -> None:
        """Throw that answer away, whether it has come or not: things have changed since."""

"""A driver with moods, and leases of what it knows."""

from __future__ import annotations

from dataclasses import dataclass

from multitrain.driver.driver import DriverError, Gpu
from multitrain.slots.gpus import GpuPool
from multitrain.slots.slots import Lease
from tests.farm.simulation import FakeDriver


@dataclass
class MoodyDriver(FakeDriver):
    """Fails as the test says and counts the questions."""

    error: DriverError | None = None
    questions: int = 0

    def gpus(self) -> list[Gpu]:
        self.questions += 1
        if self.error:
            raise self.error
        return super().gpus()


def lease_of(pool: GpuPool, *numbers: int, now: float = 0) -> Lease:
    """A lease of the GPUs with these labels, which are free."""
    labels = [f"gpu {number}" for number in numbers]
    lease = pool.acquire([slot for slot in pool.free(now) if slot.label in labels])
    assert lease is not None
    assert len(lease.slots) == len(numbers)
    return lease

"""A pool of slots on the processor's cores."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from multitrain.machine.cores import available_cores, share_out
from multitrain.protocol.environment import GPUS_LEASED
from multitrain.slots.slots import Lease, Reading, Slot


class CpuPool:
    """The processor's cores, shared out equally between a number of slots."""

    def __init__(self, count: int, cores: Sequence[int] | None = None) -> None:
        cores = available_cores() if cores is None else cores
        self._slots = [
            Slot(f"cpu{number}", f"cpu {number}", share, _model(len(share)))
            for number, share in enumerate(share_out(cores, count))
        ]
        self._taken: set[Slot] = set()

    @property
    def size(self) -> int:
        return len(self._slots)

    @property
    def widest(self) -> int:
        return self.size

    @property
    def slots(self) -> Sequence[Slot]:
        return self._slots

    @property
    def model(self) -> str:
        return self._slots[0].model

    @property
    def environment(self) -> dict[str, str]:
        return {}  # an encoder may use a GPU although nothing trains on it

    def usable(self) -> int:
        return self.size

    def example(self) -> Lease | None:
        return self._lease(self._slots[:1])

    def free(self, now: float) -> list[Slot]:  # noqa: ARG002 - the clock matters to GPUs only
        return [slot for slot in self._slots if slot not in self._taken]

    def reading(self, slot: Slot) -> Reading:  # noqa: ARG002
        return Reading()

    def acquire(self, slots: Sequence[Slot]) -> Lease | None:
        self._taken.update(slots)
        return self._lease(slots)

    def is_shared(self, slot: Slot) -> bool:  # noqa: ARG002
        return False

    def memory_used(self, lease: Lease, pid: int) -> int:  # noqa: ARG002
        return 0

    def release(self, lease: Lease, now: float) -> None:  # noqa: ARG002
        self._taken.difference_update(lease.slots)

    def fault(self, lease: Lease, now: float) -> str | None:  # noqa: ARG002 - cores do not fail
        return None

    def set_aside(self, lease: Lease, reason: str, now: float) -> bool:  # noqa: ARG002
        return False  # one core is as good as another

    def ran_out_of_memory(self, lease: Lease) -> bool:  # noqa: ARG002
        return False

    def proved(self, lease: Lease) -> None:
        pass

    def busy_reasons(self) -> dict[str, str]:
        return {}

    def _lease(self, slots: Sequence[Slot]) -> Lease:
        return Lease(tuple(slots), {"CUDA_VISIBLE_DEVICES": "-1", GPUS_LEASED: ""})


def _model(cores: int) -> str:
    return f"{_processor()}, {cores} core{'s' * (cores > 1)}"


@cache
def _processor() -> str:
    """The processor's name, where the system has one."""
    with suppress(OSError), Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine() or "CPU"

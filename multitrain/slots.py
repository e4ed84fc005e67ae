"""Slots: where one job can run, and the leases that make each of them exclusive.

A pool knows the slots of this machine. `free` lists those that a job could take now; `acquire`
takes them, or tells that somebody was faster; `release` gives them back, and a GPU counts as free
again only when the driver shows its memory back.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

# Environment variable of a trainer: labels of the GPUs that are leased for it, empty for none. A
# training that has leased GPUs and does not see them must not go on without them.
GPUS_LEASED = "MULTITRAIN_GPUS"


@dataclass(frozen=True)
class Slot:
    """A GPU, by its UUID, or a share of the CPU's cores."""

    id: str
    label: str  # for people: "gpu 0", "cpu 1"
    cores: tuple[int, ...] = ()  # empty: any


@dataclass(frozen=True)
class Lease:
    """The exclusive right to some slots, until `release`."""

    slots: tuple[Slot, ...]
    environment: dict[str, str]  # what a child needs to see just these
    descriptors: tuple[int, ...] = ()  # locks; a child that inherits them keeps the lease alive

    @property
    def label(self) -> str:
        return ", ".join(slot.label for slot in self.slots)

    @property
    def cores(self) -> tuple[int, ...]:
        return tuple(sorted({core for slot in self.slots for core in slot.cores}))


class Pool(Protocol):
    """Slots of one kind. `now` is in seconds of a clock that only goes forward."""

    @property
    def size(self) -> int:
        """How many slots there are, free or not."""

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to see all slots of this pool and no others, whoever holds them."""

    def usable(self) -> int:
        """How many slots can be hoped for: all but those that are lost, as `free` last saw it."""

    def example(self) -> Lease | None:
        """Like every lease of one slot, but for the numbers of its cores; nothing is taken.

        None where slots cannot stand in for each other: what is prepared on one GPU is of no use
        on another.
        """

    def free(self, now: float) -> list[Slot]:
        """Slots that a job could take now, in order of preference."""

    def acquire(self, slots: Sequence[Slot]) -> Lease | None:
        """Take these slots; None where another farm has just taken one of them."""

    def release(self, lease: Lease, now: float) -> None:
        """Give a lease back after its process tree is gone."""

    def fault(self, lease: Lease, now: float) -> str | None:
        """Why a job cannot go on on these slots, such as a lost GPU; None where all is well."""

    def set_aside(self, lease: Lease, reason: str, now: float) -> bool:
        """A job failed by the fault of these slots: others come first for a while.

        To be called before `release`. Whether the job is free of blame: no job had failed on these
        slots before, and it has better ones to go to, as many in the pool, free or leased, that are
        in order and that no job has failed on. Otherwise the job itself may be at fault.
        """

    def proved(self, lease: Lease) -> None:
        """A try has ended well on these slots: what is held against them is forgotten."""

    def busy_reasons(self) -> dict[str, str]:
        """Why slots that no job of ours holds are not free: label -> reason, for people."""


class CpuPool:
    """The processor's cores, shared out equally between a number of slots."""

    def __init__(self, count: int, cores: Sequence[int] | None = None) -> None:
        cores = available_cores() if cores is None else cores
        self._slots = [
            Slot(f"cpu{number}", f"cpu {number}", share)
            for number, share in enumerate(share_out(cores, count))
        ]
        self._taken: set[Slot] = set()

    @property
    def size(self) -> int:
        return len(self._slots)

    @property
    def environment(self) -> dict[str, str]:
        return {}  # an encoder may use a GPU although nothing trains on it

    def usable(self) -> int:
        return self.size

    def example(self) -> Lease | None:
        return self._lease(self._slots[:1])

    def free(self, now: float) -> list[Slot]:  # noqa: ARG002 - the clock matters to GPUs only
        return [slot for slot in self._slots if slot not in self._taken]

    def acquire(self, slots: Sequence[Slot]) -> Lease | None:
        self._taken.update(slots)
        return self._lease(slots)

    def release(self, lease: Lease, now: float) -> None:  # noqa: ARG002
        self._taken.difference_update(lease.slots)

    def fault(self, lease: Lease, now: float) -> str | None:  # noqa: ARG002 - cores do not fail
        return None

    def set_aside(self, lease: Lease, reason: str, now: float) -> bool:  # noqa: ARG002
        return False  # one core is as good as another

    def proved(self, lease: Lease) -> None:
        pass

    def busy_reasons(self) -> dict[str, str]:
        return {}

    def _lease(self, slots: Sequence[Slot]) -> Lease:
        return Lease(tuple(slots), {"CUDA_VISIBLE_DEVICES": "-1", GPUS_LEASED: ""})


def available_cores() -> tuple[int, ...]:
    """The processor numbers that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def share_out(cores: Sequence[int], count: int) -> list[tuple[int, ...]]:
    """`cores` in `count` equal shares of at least one each; with too few, shares overlap.

    Sums depend on how many threads made them, so a training must find as many cores on each slot
    that it goes on on. Those left over are for whoever asks for none: the encoders.
    """
    each = len(cores) // count
    if each == 0:
        return [(cores[number % len(cores)],) for number in range(count)]
    return [tuple(cores[each * number : each * (number + 1)]) for number in range(count)]

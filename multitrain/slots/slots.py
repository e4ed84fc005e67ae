"""Slots: where one job can run, and the leases that make each of them exclusive.

A pool knows the slots of this machine. `free` lists those that a job could take now; `acquire`
takes them, or returns None if another farm was faster; `release` gives them back, and a GPU is free
again only when the driver shows its memory back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Slot:
    """A GPU by its UUID, one of several places on it, or a share of the CPU's cores."""

    id: str  # places on one GPU have the same
    label: str  # for people: "gpu 0", "gpu 0/2" (its second place), "cpu 1"
    cores: tuple[int, ...] = ()  # empty: any
    model: str = ""  # "NVIDIA H200", "AMD EPYC, 2 cores": equal models are equally fast
    place: int = 0  # on its GPU, from 0


@dataclass(frozen=True)
class Reading:
    """What was last known of the hardware of a slot; None where it does not say."""

    memory_free: int | None = None  # bytes
    memory_total: int | None = None
    load: int | None = None  # percent
    temperature: int | None = None  # degrees Celsius


@dataclass(frozen=True)
class Lease:
    """The exclusive right to some slots, until `release`."""

    slots: tuple[Slot, ...]
    environment: dict[str, str]  # for a child, to see just these
    descriptors: tuple[int, ...] = ()  # locks; a child that inherits them keeps the lease alive

    @property
    def label(self) -> str:
        return ", ".join(slot.label for slot in self.slots)

    @property
    def device(self) -> str:
        """The hardware that a job computes on, in the form of `device_name`."""
        return device_name(self.slots[0].model, len(self.slots))

    @property
    def cores(self) -> tuple[int, ...]:
        return tuple(sorted({core for slot in self.slots for core in slot.cores}))


class Pool(Protocol):
    """Slots of one kind. `now` is in seconds of a clock that only goes forward."""

    @property
    def size(self) -> int:
        """How many slots there are, free or not."""

    @property
    def widest(self) -> int:
        """How many slots one job can have: places on one GPU count once."""

    @property
    def slots(self) -> Sequence[Slot]:
        """All of them, free or not."""

    @property
    def model(self) -> str:
        """The model of the slots; of the first one where they differ."""

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to see all slots of this pool and no others, whoever holds them."""

    def usable(self) -> int:
        """How many slots are not lost, as `free` last saw it."""

    def example(self) -> Lease | None:
        """A lease like any of one slot, but for the numbers of its cores; nothing is taken.

        None where slots cannot stand in for each other: what is prepared on one GPU is of no use on
        another.
        """

    def is_shared(self, slot: Slot) -> bool:
        """Whether a job of ours is at work on the hardware of this free slot."""

    def free(self, now: float) -> list[Slot]:
        """Slots that a job could take now, in order of preference; of a GPU, one place at most."""

    def reading(self, slot: Slot) -> Reading:
        """How the hardware of this slot is, as `free` last saw it."""

    def memory_used(self, lease: Lease, pid: int) -> int:
        """Bytes that a process has of the slot of which it has most, as `free` last saw it.

        0 where that is not known.
        """

    def acquire(self, slots: Sequence[Slot]) -> Lease | None:
        """Take these slots; None where another farm has just taken one of them."""

    def release(self, lease: Lease, now: float) -> None:
        """Give a lease back after its process tree is gone."""

    def fault(self, lease: Lease, now: float) -> str | None:
        """Why a job on these slots cannot go on, such as a lost GPU; None where all is well."""

    def set_aside(self, lease: Lease, reason: str, now: float) -> bool:
        """A job failed by the fault of these slots, as it seems: others come first for a while.

        Call it before `release`. Returns whether the job is free of blame: no job had failed on
        these slots before, and the pool has as many others, free or leased, that work and on which
        no job has failed. Otherwise the job itself may be at fault.
        """

    def ran_out_of_memory(self, lease: Lease) -> bool:
        """Memory ran out for a job with this lease: from now on fewer share its GPUs.

        Call it before `release`. Returns whether the job is free of blame: others had part of it.
        """

    def proved(self, lease: Lease) -> None:
        """A try has ended well on these slots: forget their failures."""

    def busy_reasons(self) -> dict[str, str]:
        """Why slots that no job of ours holds are not free: label -> reason, for people."""


def device_name(model: str, count: int) -> str:
    """The name of `count` slots of this model together, under which speeds are kept."""
    return model if count == 1 else f"{count} x {model}"

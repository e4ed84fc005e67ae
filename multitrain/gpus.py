"""NVIDIA GPUs: which of them a farm may use, and a pool of slots on them.

A GPU goes to a job when nobody leases it (`multitrain.leases`), nobody else computes on it and its
memory is there. One that the driver does not know any more is lost: its job goes elsewhere. One
that a job failed on is set aside for a while, which costs little where the job was to blame.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from jobs.errors import MultitrainError, UsageError
from multitrain.leases import LeaseFolder
from multitrain.slots import GPUS_LEASED, Lease, Slot

QUERY_SECONDS = 1.0  # the driver is asked at most this often
MEMORY_BACK = 0.9  # of what was free before a job: counts as given back
MEMORY_BACK_SECONDS = 60.0  # so long is it waited for; then others may be at work there
MEMORY_NEEDED = 0.5  # of the card: with less free, somebody else is at work on it
KNOWN_SECONDS = 10.0  # what a slow driver said is taken for true so long
LOST_SECONDS = 30.0  # a driver that is started again needs seconds to know all its GPUs
SET_ASIDE_SECONDS = 600.0

FORGOTTEN = "the driver does not know it any more"


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


class _Watch:
    """What the driver said last of some GPUs, and since when it says nothing good of which."""

    def __init__(self, driver: GpuDriver, slots: Sequence[Slot]) -> None:
        self._driver = driver
        self._slots = slots
        self._asked_at = float("-inf")
        self._answered_at = float("-inf")
        self._missing_since: dict[str, float] = {}
        self.known: dict[str, Gpu] = {}  # those in order, by UUID
        self.troubles: dict[str, str] = {}  # why the others are not, by UUID
        self.failure = ""  # of the driver as a whole

    def ask(self, now: float) -> None:
        if 0 <= now - self._asked_at < QUERY_SECONDS:  # a clock may be set back
            return
        self._asked_at = now
        try:
            found = self._driver.gpus()
            self.failure = _failure_as_a_whole(found)
        except NoAnswerYet:
            if not 0 <= now - self._answered_at < KNOWN_SECONDS:
                self.known = {}
            return
        except DriverError as error:
            self.failure = str(error)
        if self.failure:
            self.known = {}
        else:
            self._take(found, now)

    def _take(self, found: Sequence[Gpu], now: float) -> None:
        self._answered_at = now
        told = {gpu.uuid: gpu for gpu in found if not gpu.trouble}
        self.known = {slot.id: told[slot.id] for slot in self._slots if slot.id in told}
        self.troubles = {
            slot.id: _trouble(slot, found) for slot in self._slots if slot.id not in told
        }
        self._missing_since = {uuid: self._missing_since.get(uuid, now) for uuid in self.troubles}

    def forget(self, uuids: Sequence[str]) -> None:
        """What is known of these is out of date: ask again."""
        self._asked_at = float("-inf")
        for uuid in uuids:
            self.known.pop(uuid, None)

    def is_lost(self, uuid: str) -> bool:
        """Whether the driver, as far as it answers, has told nothing good for long enough."""
        since = self._missing_since.get(uuid)
        return since is not None and not self.failure and self._answered_at - since >= LOST_SECONDS


def _failure_as_a_whole(found: Sequence[Gpu]) -> str:
    # A driver that knows no GPU in order has a fault of its own, and those who compute may well
    # go on: a container, say, whose devices were taken away still has what it opened before.
    if not found:
        return "the NVIDIA driver knows no GPU any more"
    if all(gpu.trouble for gpu in found):
        return f"the NVIDIA driver fails for every GPU: {found[0].trouble}"
    return ""


def _trouble(slot: Slot, found: Sequence[Gpu]) -> str:
    for gpu in found:
        if gpu.uuid == slot.id or (not gpu.uuid and gpu.slot.label == slot.label):
            return gpu.trouble
    return FORGOTTEN


@dataclass(frozen=True)
class _SetAside:
    at: float  # unix seconds
    reason: str

    def seconds_left(self, now: float) -> float:
        """Never more than the whole time, also where the clock was set back."""
        passed = now - self.at
        return SET_ASIDE_SECONDS - passed if passed >= 0 else 0


class GpuPool:
    """Slots on GPUs. A GPU is free when nobody leases it and nobody else computes on it."""

    def __init__(self, driver: GpuDriver, gpus: Sequence[Gpu], lease_folder: Path) -> None:
        # Their labels stay, also where a GPU is lost and those after it get other indices.
        self._slots = [gpu.slot for gpu in gpus]
        self._watch = _Watch(driver, self._slots)
        self._leases = LeaseFolder(lease_folder)
        self._leased: set[str] = set()
        self._memory_before: dict[str, int] = {}  # free bytes when a job of ours came
        self._released_at: dict[str, float] = {}
        self._failed: dict[str, _SetAside] = {}
        self._reasons: dict[str, str] = {}

    @property
    def size(self) -> int:
        return len(self._slots)

    def free(self, now: float) -> list[Slot]:
        """Those that no job has failed on first, then those where that was longest ago."""
        self._watch.ask(now)
        self._reasons = {}
        if self._watch.failure:
            self._reasons = {"the driver": self._watch.failure}
            return []
        free = []
        for slot in self._slots:
            if slot.id in self._leased:
                continue
            obstacle = self._obstacle(slot, now)
            if obstacle:
                self._reasons[slot.label] = obstacle
            else:
                free.append(slot)
        return sorted(free, key=self._failed_at)

    def _obstacle(self, slot: Slot, now: float) -> str | None:
        """Why a GPU that is not leased by us cannot be had."""
        if trouble := self._watch.troubles.get(slot.id):
            return f"lost: {trouble}"
        aside = self._failed.get(slot.id)
        if aside and (seconds := aside.seconds_left(now)) > 0 and self._healthy(now):
            return f"set aside for {math.ceil(seconds / 60)} min: {aside.reason}"
        if slot.id not in self._watch.known:
            return "the driver is asked how it is"
        return self._occupation(self._watch.known[slot.id], now)

    def _occupation(self, gpu: Gpu, now: float) -> str | None:
        """Who else is on this GPU."""
        needed = gpu.memory_total * MEMORY_NEEDED
        if 0 <= now - self._released_at.get(gpu.uuid, float("-inf")) < MEMORY_BACK_SECONDS:
            needed = self._memory_before.get(gpu.uuid, 0) * MEMORY_BACK
        if gpu.processes:
            return f"in use by process {', '.join(map(str, gpu.processes))}"
        if gpu.memory_free < needed:
            return f"its memory is taken: {gpu.memory_free / 2**30:.1f} GiB are free"
        try:
            return None if self._leases.is_free(gpu.uuid) else "leased by another farm"
        except OSError as error:
            return f"its lease cannot be had: {error}"

    def _healthy(self, now: float) -> list[Slot]:
        """Those, free or not, that the driver knows and no job has failed on lately."""
        return [
            slot
            for slot in self._slots
            if slot.id not in self._watch.troubles
            and (slot.id not in self._failed or self._failed[slot.id].seconds_left(now) <= 0)
        ]

    def _failed_at(self, slot: Slot) -> float:
        return self._failed[slot.id].at if slot.id in self._failed else float("-inf")

    def acquire(self, slots: Sequence[Slot]) -> Lease | None:
        try:
            descriptors = self._leases.take_all([slot.id for slot in slots])
        except OSError:  # `free` tells why at the next tick
            return None
        if descriptors is None:
            return None
        for slot in slots:
            self._leased.add(slot.id)
            if slot.id in self._watch.known:
                self._memory_before[slot.id] = self._watch.known[slot.id].memory_free
        environment = {
            "CUDA_VISIBLE_DEVICES": ",".join(slot.id for slot in slots),
            GPUS_LEASED: ", ".join(slot.label for slot in slots),
        }
        return Lease(tuple(slots), environment, descriptors)

    def release(self, lease: Lease, now: float) -> None:
        for descriptor in lease.descriptors:
            os.close(descriptor)
        for slot in lease.slots:
            self._leased.discard(slot.id)
            self._released_at[slot.id] = now
        self._watch.forget([slot.id for slot in lease.slots])

    def fault(self, lease: Lease, now: float) -> str | None:
        self._watch.ask(now)
        for slot in lease.slots:
            if self._watch.is_lost(slot.id):
                return f"{slot.label}: lost: {self._watch.troubles[slot.id]}"
        return None

    def set_aside(self, lease: Lease, reason: str, now: float) -> bool:
        """As the protocol says. Where the driver misses some of the lease's GPUs, those are to
        blame, not the rest.
        """
        missing = [slot for slot in lease.slots if slot.id in self._watch.troubles]
        for slot in missing or lease.slots:
            self._failed[slot.id] = _SetAside(now, reason)
        # Not only for a while: else a job that breaks every GPU that it gets would go round for
        # ever, each time to one whose ten minutes are over.
        others = [slot for slot in self._healthy(now) if slot.id not in self._failed]
        return len(others) >= len(lease.slots)

    def busy_reasons(self) -> dict[str, str]:
        return dict(self._reasons)

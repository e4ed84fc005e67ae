"""NVIDIA GPUs: which of them a farm may use, and a pool of slots on them.

A GPU goes to a job when nobody leases it (`leases`), nobody else computes on it and its memory is
there. Our own encoders do not count: those with NVENC compute there, too. A GPU that
the driver does not know any more is lost: its job goes elsewhere. One that a job failed on is set
aside for a while (`gpu_failures`).

Where several jobs may share a GPU, each has a place on it. One comes after the other, when the one
before has taken the memory that it needs; where memory runs out all the same, fewer share that GPU.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from jobs.errors import UsageError
from multitrain.driver.driver import Gpu, GpuDriver
from multitrain.protocol.environment import GPUS_LEASED
from multitrain.slots.gpu_failures import GpuFailures
from multitrain.slots.leases import LeaseFolder
from multitrain.slots.process_tree import is_ours
from multitrain.slots.slots import Lease, Reading, Slot
from multitrain.slots.watch import DriverWatch, slots_of

MEMORY_BACK = 0.9  # of what was free before a job: then its memory counts as given back
MEMORY_BACK_SECONDS = 60.0  # so long is that waited for; then others may be at work there
MEMORY_NEEDED = 0.5  # of the card, or of a place's part of it: with less free, it is somebody's
SETTLE_SECONDS = 30.0  # in which a job takes its memory, before another one comes to its GPU


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


def _sees(slots: Sequence[Slot]) -> dict[str, str]:
    """The environment in which a process sees just these GPUs."""
    return {"CUDA_VISIBLE_DEVICES": ",".join(slot.id for slot in slots)}


class GpuPool:
    """Slots on GPUs. A GPU is free when nobody leases it and nobody else computes on it."""

    def __init__(
        self,
        driver: GpuDriver,
        gpus: Sequence[Gpu],
        lease_folder: Path,
        is_ours: Callable[[int], bool] = is_ours,
        per_gpu: int = 1,
    ) -> None:
        """`is_ours` says whether a pid is no obstacle: our own encoders compute beside jobs.

        So many jobs `per_gpu` may share one.
        """
        # Labels never change, even if a GPU is lost and those after it get other indices.
        self._places = {gpu.uuid: slots_of(gpu, per_gpu) for gpu in gpus}
        self._slots = [slot for places in self._places.values() for slot in places]
        self._per_gpu = per_gpu
        self._totals = {gpu.uuid: gpu.memory_total or None for gpu in gpus}
        self._most = dict.fromkeys(self._places, per_gpu)  # jobs at once, as memory allows
        self._taken_at: dict[str, float] = {}  # when a job of ours came last
        self._looked_at = float("-inf")
        self._watch = DriverWatch(driver, self._slots)
        self._failures = GpuFailures()
        self._is_ours = is_ours
        self._leases = LeaseFolder(lease_folder)
        self._leased: set[Slot] = set()
        self._memory_before: dict[str, int] = {}  # free bytes when a job of ours came
        self._released_at: dict[str, float] = {}
        self._reasons: dict[str, str] = {}

    @property
    def size(self) -> int:
        return len(self._slots)

    @property
    def widest(self) -> int:
        return sum(not self._watch.is_lost(places[0]) for places in self._places.values())

    @property
    def slots(self) -> Sequence[Slot]:
        return self._slots

    @property
    def model(self) -> str:
        return self._slots[0].model

    @property
    def environment(self) -> dict[str, str]:
        return _sees(self._slots)

    def usable(self) -> int:
        return sum(not self._watch.is_lost(slot) for slot in self._slots)

    def example(self) -> Lease | None:
        return None

    def reading(self, slot: Slot) -> Reading:
        gpu = self._watch.known.get(slot.id)
        if gpu is None:
            return Reading(memory_total=self._totals[slot.id])
        free, total = gpu.memory_free, gpu.memory_total
        is_told = total > 0
        return Reading(
            memory_free=free if is_told else None,
            memory_total=total if is_told else None,
            load=gpu.load,
            temperature=gpu.temperature,
        )

    def free(self, now: float) -> list[Slot]:
        """A place on each GPU that has one.

        First GPUs without failures, then the longest without one; with the fewest jobs first.
        """
        self._looked_at = now
        self._watch.ask(now)
        self._reasons = {}
        if self._watch.failure:
            self._reasons = {"the driver": self._watch.failure}
            return []
        free = []
        for places in self._places.values():
            slot = next((each for each in places if each not in self._leased), None)
            if slot is None:
                continue
            obstacle = self._obstacle(slot, now)
            if obstacle:
                self._reasons[slot.label] = obstacle
            else:
                free.append(slot)
        return sorted(free, key=lambda slot: (self._failures.since(slot), self._jobs_on(slot)))

    def is_shared(self, slot: Slot) -> bool:
        return self._jobs_on(slot) > 0

    def memory_used(self, lease: Lease, pid: int) -> int:
        gpus = (self._watch.known.get(slot.id) for slot in lease.slots)
        return max((dict(gpu.memory_by_process).get(pid, 0) for gpu in gpus if gpu), default=0)

    def _jobs_on(self, slot: Slot) -> int:
        """How many jobs of ours its GPU has."""
        return sum(each.id == slot.id for each in self._leased)

    def _obstacle(self, slot: Slot, now: float) -> str | None:
        """Why a GPU that is not leased by us cannot be leased; None where it can."""
        if trouble := self._watch.troubles.get(slot.id):
            return f"lost: {trouble}"
        aside = self._failures.sets_aside(slot, now)
        if aside and self._has_healthy(now):
            return aside
        if slot.id not in self._watch.known:
            return "the driver is asked how it is"
        gpu = self._watch.known[slot.id]
        return self._crowd(gpu, self._jobs_on(slot), now) or self._occupation(gpu, slot, now)

    def _crowd(self, gpu: Gpu, jobs: int, now: float) -> str | None:
        """Why no job can come to the `jobs` of ours that this GPU has; None where one can."""
        if not jobs:
            return None
        if not gpu.tells_processes:
            return "the driver does not say who computes there: one job at a time"
        if jobs >= self._most[gpu.uuid]:
            return f"memory ran out there: {self._most[gpu.uuid]} at once is the most"
        if now - self._taken_at[gpu.uuid] < SETTLE_SECONDS:
            return "the job that came last is taking its memory"
        return None

    def _occupation(self, gpu: Gpu, slot: Slot, now: float) -> str | None:
        """Who else uses this GPU, for people; None for nobody."""
        is_shared = self.is_shared(slot)
        needed = gpu.memory_total * MEMORY_NEEDED / (self._per_gpu if is_shared else 1)
        if (
            not is_shared
            and now - self._released_at.get(gpu.uuid, float("-inf")) < MEMORY_BACK_SECONDS
        ):
            needed = self._memory_before.get(gpu.uuid, 0) * MEMORY_BACK
        if strangers := [pid for pid in gpu.processes if not self._is_ours(pid)]:
            return f"in use by process {', '.join(map(str, strangers))}"
        if gpu.memory_free < needed:
            return f"its memory is taken: {gpu.memory_free / 2**30:.1f} GiB are free"
        try:
            is_free = self._leases.is_free(gpu.uuid, shared=is_shared)
            return None if is_free else "leased by another farm"
        except OSError as error:
            return f"its lease cannot be had: {error}"

    def _has_healthy(self, now: float) -> bool:
        """Whether any GPU, free or not, works and had no failure lately."""
        return any(
            slot.id not in self._watch.troubles and not self._failures.sets_aside(slot, now)
            for slot in self._slots
        )

    def acquire(self, slots: Sequence[Slot]) -> Lease | None:
        try:
            descriptors = self._take(slots)
        except OSError:  # `free` says why at the next tick
            return None
        if descriptors is None:
            return None
        for slot in slots:
            self._leased.add(slot)
            self._taken_at[slot.id] = self._looked_at
            if slot.id in self._watch.known:
                self._memory_before[slot.id] = self._watch.known[slot.id].memory_free
        environment = {**_sees(slots), GPUS_LEASED: ", ".join(slot.label for slot in slots)}
        return Lease(tuple(slots), environment, descriptors)

    def _take(self, slots: Sequence[Slot]) -> tuple[int, ...] | None:
        gpus = [slot.id for slot in slots]
        if self._per_gpu == 1:
            return self._leases.take_all(gpus)
        return self._leases.take_all([f"{slot.id}.{slot.place}" for slot in slots], shared=gpus)

    def release(self, lease: Lease, now: float) -> None:
        for descriptor in lease.descriptors:
            os.close(descriptor)
        for slot in lease.slots:
            self._leased.discard(slot)
            self._released_at[slot.id] = now
        self._watch.forget(lease.slots)

    def fault(self, lease: Lease, now: float) -> str | None:
        self._watch.ask(now)
        for slot in lease.slots:
            if self._watch.is_lost(slot):
                return f"{slot.label}: lost: {self._watch.troubles[slot.id]}"
        return None

    def set_aside(self, lease: Lease, reason: str, now: float) -> bool:
        """As the protocol says. If the driver misses some of these GPUs, only they are to blame."""
        troubles, failures = self._watch.troubles, self._failures
        blamed = [slot for slot in lease.slots if slot.id in troubles] or lease.slots
        again = any(failures.is_on(slot) for slot in blamed)
        failures.put_on(blamed, reason, now)
        # A failure counts here even after its ten minutes: else a job that breaks every GPU
        # that it gets would go round for ever, each time to one that is offered again.
        others = [
            places[0]
            for uuid, places in self._places.items()
            if uuid not in troubles and not failures.is_on(places[0])
        ]
        return not again and len(others) >= len(lease.slots)

    def ran_out_of_memory(self, lease: Lease) -> bool:
        crowded = [slot.id for slot in lease.slots if self._jobs_on(slot) > 1]
        for uuid in crowded:
            self._most[uuid] = max(1, sum(slot.id == uuid for slot in self._leased) - 1)
        return bool(crowded)

    def proved(self, lease: Lease) -> None:
        self._failures.lift(lease.slots)

    def busy_reasons(self) -> dict[str, str]:
        return dict(self._reasons)

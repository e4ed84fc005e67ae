"""What the driver said last of a farm's GPUs, and since when which of them are in trouble.

A GPU is known, or in trouble: then the driver does not know it any more, or says what is wrong. One
that is in trouble for longer than a driver needs to start again is lost. A driver that fails as a
whole says nothing of any GPU, so none is lost by that.
"""

from __future__ import annotations

from collections.abc import Sequence

from multitrain.driver.driver import AskedAhead, DriverError, Gpu, GpuDriver, NoAnswerYet
from multitrain.slots.slots import Slot

QUERY_SECONDS = 1.0  # the driver is asked at most this often
KNOWN_SECONDS = 10.0  # for so long, the last answer of a slow driver is taken for true
LOST_SECONDS = 30.0  # a driver that is started again needs seconds to know all its GPUs

FORGOTTEN = "the driver does not know it any more"


def slots_of(gpu: Gpu, count: int = 1) -> list[Slot]:
    """A GPU as so many places for jobs."""
    label = _label(gpu)
    labels = [label] if count == 1 else [f"{label}/{number}" for number in range(1, count + 1)]
    return [Slot(gpu.uuid, each, model=gpu.name, place=place) for place, each in enumerate(labels)]


def _label(gpu: Gpu) -> str:
    return f"gpu {gpu.index}"


class DriverWatch:
    """Asks a driver now and then. `now` is in seconds of a clock that only goes forward."""

    def __init__(self, driver: GpuDriver, slots: Sequence[Slot]) -> None:
        self._driver, self._slots = driver, slots
        self._asked_at = float("-inf")
        self._answered_at = float("-inf")
        self._missing_since: dict[str, float] = {}
        self.known: dict[str, Gpu] = {}  # those that work, by UUID
        self.troubles: dict[str, str] = {}  # what is wrong with the others, by UUID
        self.failure = ""  # of the driver as a whole

    def ask(self, now: float) -> None:
        """Bring the attributes up to date, unless that was done a moment ago."""
        if now - self._asked_at < QUERY_SECONDS:
            return
        self._asked_at = now
        try:
            found = self._driver.gpus()
            self.failure = _failure_as_a_whole(found)
        except NoAnswerYet:
            if now - self._answered_at >= KNOWN_SECONDS:
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
        healthy = {gpu.uuid: gpu for gpu in found if not gpu.trouble}
        self.known = {slot.id: healthy[slot.id] for slot in self._slots if slot.id in healthy}
        self.troubles = {
            slot.id: _trouble(slot, found) for slot in self._slots if slot.id not in healthy
        }
        self._missing_since = {uuid: self._missing_since.get(uuid, now) for uuid in self.troubles}

    def forget(self, slots: Sequence[Slot]) -> None:
        """Forget what is known of these slots, and ignore an answer that is still to come."""
        self._asked_at = float("-inf")
        if isinstance(self._driver, AskedAhead):
            self._driver.forget()
        for slot in slots:
            self.known.pop(slot.id, None)

    def is_lost(self, slot: Slot) -> bool:
        """Whether the GPU has been in trouble for long enough, though the driver answers."""
        since = self._missing_since.get(slot.id)
        return since is not None and not self.failure and self._answered_at - since >= LOST_SECONDS


def _failure_as_a_whole(found: Sequence[Gpu]) -> str:
    # A driver that knows no working GPU has a fault of its own, and running jobs may well
    # go on: a container, say, whose devices were taken away still has what it opened before.
    if not found:
        return "the NVIDIA driver knows no GPU any more"
    if all(gpu.trouble for gpu in found):
        return f"the NVIDIA driver fails for every GPU: {found[0].trouble}"
    return ""


def _trouble(slot: Slot, found: Sequence[Gpu]) -> str:
    for gpu in found:
        if gpu.uuid == slot.id or (not gpu.uuid and _label(gpu) == slot.label.partition("/")[0]):
            return gpu.trouble
    return FORGOTTEN

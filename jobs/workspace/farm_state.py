"""What only the farm that runs here knows: `runs/farm.json`, written once a second.

`status`, the page and other machines read it. The store and the folders of jobs hold all else.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from typing import Annotated

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict, NonNegativeInt

from jobs.reading import read_json
from jobs.units import duration
from jobs.workspace.files import write_text
from jobs.workspace.paths import Workspace

STALE_SECONDS = 60.0  # what is older is not believed; of 100,000 jobs, it is written every 30 s
MOST_SECONDS = 1e10  # larger forecasts are not believed

Seconds = Annotated[float, Ge(0), Le(MOST_SECONDS)]


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)  # a later version may tell more


class Left(_Told):
    """Seconds until something is done, and how sure that is: 0.1 means 10 % more or less."""

    seconds: Seconds
    spread: Seconds


class SlotState(_Told):
    """A slot: whose it is, or why nobody of this farm can have it."""

    label: str  # `gpu 0`
    model: str = ""
    job: str = ""  # the job that holds it
    obstacle: str = ""  # why no job can have it now
    memory_free: NonNegativeInt | None = None  # bytes of its GPU
    memory_total: NonNegativeInt | None = None
    load: NonNegativeInt | None = None  # percent of the time in which its GPU computed
    temperature: int | None = None  # degrees Celsius


class Disk(_Told):
    """Room, in bytes."""

    free: NonNegativeInt
    keep_free: NonNegativeInt  # below it, nothing is started
    spool: NonNegativeInt  # frames that are not encoded yet, and checkpoints, of all jobs
    spool_share: NonNegativeInt  # how much of that each slot may have


class FarmState(_Told):
    """How a farm stood at `time`, in unix seconds."""

    time: float
    since: float = 0.0  # when it began
    is_draining: bool = False
    night: Left = Left(seconds=0, spread=0)  # until all is done, `unknown` jobs not counted
    unknown: NonNegativeInt = 0
    jobs: dict[str, Left] = {}
    slots: tuple[SlotState, ...] = ()
    waiting: dict[str, str] = {}  # why jobs wait, by what is missing, or by job
    stopping: tuple[str, ...] = ()  # paused or cancelled jobs whose trainer has yet to end
    disk: Disk | None = None

    @property
    def left_in_words(self) -> str:
        return left_in_words(self.night.seconds, self.unknown)

    def why_waits(self, job: str) -> str:
        """Why a queued job has no slot, in a clause; empty where that is not known."""
        return self.waiting.get(job) or self._why_all_wait

    @cached_property
    def _why_all_wait(self) -> str:
        is_taken = self.slots and all(slot.job or slot.obstacle for slot in self.slots)
        general = [f"{what}: {why}" for what, why in self.waiting.items() if what not in self.jobs]
        return "; ".join(["all slots are taken"] * bool(is_taken) + general)


NO_FARM = FarmState(time=0.0)


def left_in_words(seconds: float, unknown: int) -> str:
    """`about 3:20:00 left`; empty where nothing is known, or less than a second is left."""
    if seconds < 1:
        return ""
    text = f"about {duration(seconds)} left"
    jobs = "1 job" if unknown == 1 else f"{unknown} jobs"
    return f"{text}, and {jobs} of which nothing is known" if unknown else text


def publish(workspace: Workspace, state: FarmState) -> None:
    """Write the state for `read_farm_state`. OSError where that is impossible."""
    write_text(workspace.farm_state, state.model_dump_json(exclude_defaults=True), flush=False)


def read_farm_state(
    workspace: Workspace, wall: Callable[[], float] = time.time
) -> FarmState | None:
    """The last state of a farm that runs here; None where there is none, or it is too old."""
    try:
        state = FarmState.model_validate(read_json(workspace.farm_state, dict))
    except (OSError, ValueError):
        return None
    return state if 0 <= wall() - state.time <= STALE_SECONDS else None

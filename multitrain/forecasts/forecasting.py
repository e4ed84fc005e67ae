"""How long jobs and nights will take, by speeds that were seen. Pure.

A job takes the time to its first step, that of its steps, and that from its last frame until the
film is there. Steps take as long as those of jobs that cost the same; where none was seen on this
device, as long as those of the most alike, in proportion to what both cost.
"""

from __future__ import annotations

import heapq
import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from jobs.workspace.jobfile import JobFile
from multitrain.forecasts.speeds import Cost, Speed
from multitrain.slots.slots import device_name

NEWEST = 5  # tries of jobs that cost the same are used, at most
NEAREST = 3  # tries of other jobs are used, at most
FURTHEST = math.log(8)  # jobs that cost eight times as much or as little say nothing
SPREAD = 0.1  # of forecasts from jobs of the same cost: speeds vary
SPREAD_OF_OTHERS = 0.2  # of forecasts from other costs, and as much more for each doubling
# What a step costs besides its operations, in operations that take as long on a server's two cores
PER_STEP = 2e8
PER_PIXEL = 2e3  # of its frames: copied, and encoded beside the training
START_SECONDS = 20.0  # where no job of this kind was seen
MEGAPIXEL_SECONDS = 0.1  # of finishing, where no film was seen
FINISH_SECONDS = 1.0  # of finishing any film, however short


@dataclass(frozen=True, order=True)
class Forecast:
    """Seconds that something will take, and how sure that is: 0.1 means 10 % more or less."""

    seconds: float
    spread: float

    def __add__(self, other: Forecast) -> Forecast:
        """Both, one after the other. Errors add up: what slows one down slows the other down."""
        seconds = self.seconds + other.seconds
        off = self.seconds * self.spread + other.seconds * other.spread
        return Forecast(seconds, off / seconds if seconds else 0.0)

    def times(self, count: float) -> Forecast:
        return Forecast(self.seconds * count, self.spread)


NOTHING = Forecast(0.0, 0.0)


@dataclass(frozen=True)
class JobForecast:
    """What is left of a job: its training, which holds `slots`, and what follows when it has."""

    training: Forecast
    finishing: Forecast
    slots: int = 1

    @property
    def whole(self) -> Forecast:
        return self.training + self.finishing


class Forecaster:
    """Knows the speeds of one workspace."""

    def __init__(self, speeds: Sequence[Speed], model: str) -> None:
        """`model`: that of the slots that jobs will have, as `Pool.model`."""
        self._model = model
        self._knows_none = not speeds
        # Newest first. Sorted once, because thousands of jobs use them.
        self._seen: defaultdict[tuple[str, str], list[Speed]] = defaultdict(list)
        self._finishes: defaultdict[str, list[float]] = defaultdict(list)
        for speed in reversed(speeds):
            self._seen[speed.device, speed.cost.kind].append(speed)
            if speed.finish_seconds is not None:
                self._finishes[speed.device].append(speed.finish_seconds)
        self._steps: dict[tuple[str, Cost], Forecast | None] = {}

    def job(
        self, job: JobFile, steps_done: int = 0, step: Forecast | None = None
    ) -> JobForecast | None:
        """What is left of a job; None where nothing similar was seen on this device.

        `step` is the time of one step, where the job is training and shows it.
        """
        steps = max(0, job.plan.steps_total - steps_done)
        device = device_name(self._model, job.spec.gpus)
        start = NOTHING
        if step is None and steps:
            if self._knows_none:  # so no step's operations need be counted, of thousands of jobs
                return None
            cost = Cost.of(job)
            start, step = self._start(cost, device), self._step(cost, device)
            if step is None:
                return None
        training = start + step.times(steps) if step else NOTHING
        return JobForecast(training, self._finishing(job, device), job.spec.gpus)

    def knows(self, job: JobFile) -> bool:
        """Whether a job that costs the same was seen on this device."""
        cost = Cost.of(job)
        return bool(_alike(self._seen[device_name(self._model, job.spec.gpus), cost.kind], cost))

    def step(self, job: JobFile) -> Forecast | None:
        """The forecast for one step; None where nothing similar was seen on this device."""
        return self._step(Cost.of(job), device_name(self._model, job.spec.gpus))

    def _step(self, cost: Cost, device: str) -> Forecast | None:
        key = device, cost
        if key not in self._steps:
            self._steps[key] = _step(cost, self._seen[device, cost.kind])
        return self._steps[key]

    def _start(self, cost: Cost, device: str) -> Forecast:
        starts = [each.start_seconds for each in self._seen[device, cost.kind][:NEWEST]]
        return Forecast(statistics.median(starts) if starts else START_SECONDS, SPREAD)

    def _finishing(self, job: JobFile, device: str) -> Forecast:
        seen = self._finishes[device][:NEWEST]
        rate = statistics.median(seen) if seen else MEGAPIXEL_SECONDS
        return Forecast(FINISH_SECONDS + rate * megapixels(job), SPREAD_OF_OTHERS)


def megapixels(job: JobFile) -> float:
    """The millions of pixels in all frames of the job's film."""
    plan = job.plan
    return plan.frame_width * plan.frame_height * plan.frames_total / 1e6


def night(jobs: Iterable[JobForecast | None], slots: int) -> tuple[Forecast, int]:
    """The time until the last film is done, and the number of jobs without a forecast.

    These are left out. Jobs get their slots strictly in this order, as `multitrain.farm.placement`
    has it.
    """
    free = [NOTHING] * max(1, slots)  # when each slot is free again, the soonest first
    ends, unknown = [NOTHING], 0
    earliest = NOTHING
    for job in jobs:
        if job is None:
            unknown += 1
            continue
        if not job.training.seconds:  # it has trained, and holds no slot
            ends.append(job.finishing)
            continue
        taken = [heapq.heappop(free) for _ in range(min(job.slots, len(free)))]
        earliest = max(earliest, *taken)
        trained = earliest + job.training
        for _ in taken:
            heapq.heappush(free, trained)
        ends.append(trained + job.finishing)
    return max(ends), unknown


def _step(cost: Cost, seen: Sequence[Speed]) -> Forecast | None:
    if alike := _alike(seen, cost)[:NEWEST]:
        times = [math.log(speed.step_seconds) for speed in alike]
        spread = max(SPREAD, statistics.pstdev(times))
        return Forecast(math.exp(statistics.fmean(times)), spread)
    others = sorted(seen, key=lambda speed: _distance(speed.cost, cost))[:NEAREST]
    near = [speed for speed in others if _distance(speed.cost, cost) <= FURTHEST]
    if not near:
        return None
    times = [math.log(speed.step_seconds * _total(cost) / _total(speed.cost)) for speed in near]
    doublings = _distance(near[0].cost, cost) / math.log(2)
    return Forecast(math.exp(statistics.fmean(times)), SPREAD_OF_OTHERS * (1 + doublings))


def _alike(seen: Sequence[Speed], cost: Cost) -> list[Speed]:
    return [speed for speed in seen if speed.cost == cost]


def _distance(one: Cost, other: Cost) -> float:
    return abs(math.log(_total(one) / _total(other)))


def _total(cost: Cost) -> float:
    """The cost of a step, in operations."""
    return PER_STEP + cost.operations + PER_PIXEL * cost.pixels

"""Forecasts by speeds that were seen: of the same cost, and, less sure, of others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from jobs.workspace.jobfile import JobFile
from multitrain.forecasts.forecasting import (
    FINISH_SECONDS,
    SPREAD,
    Forecast,
    Forecaster,
    JobForecast,
    megapixels,
    night,
)
from multitrain.forecasts.speeds import RARE, Cost, Speed

MakeJob = Callable[..., JobFile]

CARD = "card"


def seen(job: JobFile, **changes: object) -> Speed:
    """One that costs the same took 0.5 s for a step, 7 to its first frame, 0.1 per megapixel."""
    told = {"device": CARD, "steps": 100, "step_seconds": 0.5, "start_seconds": 7.0}
    return Speed(cost=Cost.of(job), finish_seconds=0.1, **{**told, **changes})


def forecaster(*speeds: Speed) -> Forecaster:
    return Forecaster(speeds, CARD)


def test_a_job_takes_as_long_as_one_that_costs_the_same(tiny_job: MakeJob) -> None:
    job = tiny_job(name="new", seed=5, learning_rate_g=0.1)
    found = forecaster(seen(tiny_job())).job(job)
    assert found
    assert found.training == Forecast(7 + 0.5 * job.plan.steps_total, SPREAD)
    assert found.finishing.seconds == FINISH_SECONDS + 0.1 * megapixels(job)
    assert found.whole.seconds == found.training.seconds + found.finishing.seconds


def test_what_is_made_already_takes_no_time(tiny_job: MakeJob) -> None:
    job, total = tiny_job(), tiny_job().plan.steps_total
    known = forecaster(seen(job))
    half, trained = known.job(job, total // 2), known.job(job, total)
    assert half
    assert half.training.seconds == 7 + 0.5 * job.plan.steps_total / 2
    assert trained
    assert trained.training.seconds == 0
    assert trained.finishing == half.finishing


def test_a_job_at_work_knows_its_own_step(tiny_job: MakeJob) -> None:
    job = tiny_job()
    found = forecaster().job(job, 50, step=Forecast(2.0, 0.3))
    assert found
    assert found.training == Forecast(2 * (job.plan.steps_total - 50), 0.3)


def test_steps_without_frames_take_their_time(tiny_job: MakeJob) -> None:
    columns = {"video_length": None, "steps": 400, "snapshot": "every 10 steps"}
    job = tiny_job(**columns, first_frame_after=150)
    found = forecaster(seen(job)).job(job, 100)
    assert job.frames_total == 25
    assert found
    assert found.training.seconds == 7 + 0.5 * 300


def test_rare_frames_cost_as_much_as_rarer_ones(tiny_job: MakeJob) -> None:
    """So what was timed of a few steps is known of a job with a frame in thousands of them."""
    each, few, rare, rarer = (
        Cost.of(tiny_job(snapshot=how)) for how in ("step", "2", str(RARE), "5000")
    )
    assert each.operations > few.operations > rare.operations
    assert few.pixels == each.pixels // 2
    assert rarer == rare


def test_larger_networks_take_longer_and_that_is_less_sure(tiny_job: MakeJob) -> None:
    """A network of several times the operations, and the same one but for its batches."""
    small, large = tiny_job(64, 64, gf_dim=64, df_dim=64), tiny_job(64, 64, gf_dim=128, df_dim=128)
    step = forecaster(seen(small)).step(large)
    assert step
    ratio = Cost.of(large).operations / Cost.of(small).operations
    assert ratio > 3
    assert 0.5 * ratio / 2 < step.seconds < 0.5 * ratio
    assert step.spread > 2 * SPREAD
    assert not forecaster(seen(small)).knows(large)


@pytest.mark.parametrize(
    "speed",
    [{"device": "2 x card"}, {"cost": Cost("dcgan jax float32 auto", 10**9, 10**4)}],
    ids=["another device", "another engine"],
)
def test_speeds_of_something_else_tell_nothing(tiny_job: MakeJob, speed: dict[str, object]) -> None:
    job = tiny_job()
    assert forecaster(replace(seen(job), **speed)).job(job) is None


def test_far_too_different_sizes_tell_nothing(tiny_job: MakeJob) -> None:
    tiny = tiny_job()
    huge = tiny_job(512, 512, gf_dim=64, df_dim=64)
    assert forecaster(seen(tiny)).job(huge) is None


def test_moods_of_the_machine_widen_the_spread(tiny_job: MakeJob) -> None:
    job = tiny_job()
    steady = forecaster(*[seen(job)] * 4).step(job)
    moody = forecaster(*[seen(job, step_seconds=each) for each in (0.3, 0.5, 0.9)]).step(job)
    assert steady
    assert moody
    assert steady.spread == SPREAD < moody.spread < 0.6


def test_a_long_sheet_with_a_long_past_is_forecast_at_once(tiny_job: MakeJob) -> None:
    """The farm does this beside everything else; each job is not to look at each speed."""
    looks = 0

    class Counted(list[Speed]):
        def __reversed__(self) -> Iterator[Speed]:
            nonlocal looks
            for speed in super().__reversed__():
                looks += 1
                yield speed

    job = tiny_job()
    known = Forecaster(Counted([seen(job)] * 50), CARD)
    assert all(known.job(job) for _ in range(100))
    assert looks == 50


def trains(seconds: float, finishing: float = 0.0, slots: int = 1) -> JobForecast:
    return JobForecast(Forecast(seconds, SPREAD), Forecast(finishing, SPREAD), slots)


@pytest.mark.parametrize(
    ("jobs", "slots", "seconds"),
    [
        ([], 1, 0),
        ([trains(10), trains(20)], 1, 30),
        ([trains(10), trains(20)], 2, 20),
        ([trains(10), trains(20), trains(5)], 2, 20),
        ([trains(10), trains(20), trains(15)], 2, 25),
        ([trains(10, finishing=30), trains(20)], 1, 40),  # the film is finished beside the next one
        ([trains(10), trains(10, slots=2), trains(1)], 2, 21),  # strictly in order
        ([trains(10), trains(10, slots=5)], 2, 20),
        ([trains(10), trains(0, finishing=3, slots=2), trains(10)], 2, 10),  # it holds none
    ],
)
def test_a_night(jobs: list[JobForecast], slots: int, seconds: float) -> None:
    whole, unknown = night(jobs, slots)
    assert whole.seconds == pytest.approx(seconds)
    assert unknown == 0
    assert not seconds or whole.spread == pytest.approx(SPREAD)


def test_a_night_leaves_out_what_nobody_knows() -> None:
    assert night([None, trains(10), None], 1) == (Forecast(10, SPREAD), 2)

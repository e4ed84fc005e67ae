"""Schedules as sheets say them, and what a plateau makes of measurements."""

from __future__ import annotations

import pytest

from jobs.settings.moments import Moments, beginnings, checked_stages
from jobs.settings.schedules import Schedule, last_step


@pytest.mark.parametrize(
    ("text", "steps", "wanted"),
    [
        ("50%/75%", 400_000, [200_000, 300_000]),
        ("12.5 % / 25%", 400_000, [50_000, 100_000]),
        ("5/ 10", 10, [5]),
        ("1%/2%/50%", 10, [0, 0, 5]),
    ],
)
def test_moments_are_shares_or_steps(text: str, steps: int, wanted: list[int]) -> None:
    assert Moments(text).within(steps) == wanted


@pytest.mark.parametrize(
    "text", ["", "50", "0%", "50%/50%", "75%/50%", "5/50%", "100%", "-1", "5,6", "1/" * 21 + "2"]
)
def test_what_moments_must_be(text: str) -> None:
    if text == "50":
        assert Moments(text).within(100) == [50]
        return
    with pytest.raises(ValueError, match="each later than the one before"):
        Moments(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("89%/95%", [890, 950]),
        (" 0 / 2.5 % ", [0, 25]),
        ("[0, 0]", [0, 0]),
        ("5,5", [5, 5]),
        ("500/6000", [500, 6000]),
    ],
)
def test_stages_may_begin_at_once_and_together(text: str, wanted: list[int]) -> None:
    assert beginnings(checked_stages(text), 1000) == wanted


@pytest.mark.parametrize("text", ["", "5", "6/5", "1/2/3", "5/50%", "50%/100%", "-1/2", "a/b"])
def test_what_stages_must_be(text: str) -> None:
    with pytest.raises(ValueError, match="must be the steps at which two stages begin"):
        checked_stages(text)


def test_a_wrong_moment_is_told_with_the_setting() -> None:
    with pytest.raises(ValueError, match=r"multistep: at must be up to 20 steps, or shares .* not"):
        Schedule.parse("multistep(at=half)")


def test_a_schedule_is_written_as_it_is_read() -> None:
    text = "multistep(at=12.5%/25%, rounds=2)"

    assert str(Schedule.parse(text)) == text
    assert Schedule.parse("multistep(50% / 75%/90%)") == Schedule.parse("multistep")


@pytest.mark.parametrize(
    ("schedule", "psnr", "wanted"),
    [
        ("plateau(3)", [], 1.0),
        ("plateau(3)", [20, 21, 21, 20.5], 1.0),
        ("plateau(3)", [20, 21, 21, 20.5, 21], 0.5),
        ("plateau(3)", [20, 19, 19, 20.5, 19, 19, float("nan"), 20.5], 0.5),
        ("plateau(1, factor=0.1)", [20, 20, 20], 0.01),
        ("plateau(1, factor=0.1, alpha=0.05)", [20, 20, 20], 0.05),
        ("plateau(1, measure=ssim)", [20, 19, 18], 0.25),
    ],
)
def test_the_rate_falls_when_the_best_has_not_risen_for_so_long(
    schedule: str, psnr: list[float], wanted: float
) -> None:
    measured = [{"psnr": float(each), "ssim": 0.5} for each in psnr]

    assert Schedule.parse(schedule).share_left(measured) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("cosine(steps=100, rounds=3)", 299),
        ("cosine(steps=100, rounds=3, t_mul=2)", 699),
        ("cosine(steps=100)", None),
        ("cosine(rounds=3)", None),
        ("cosine(steps=987, rounds=22, t_mul=6.2)", None),
    ],
)
def test_a_wave_ends_with_its_last_round_where_a_training_gets_so_far(
    text: str, last: int | None
) -> None:
    assert last_step(Schedule.parse(text), 1000) == last

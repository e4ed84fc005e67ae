"""A farm that trains at some hours of the day only."""

from __future__ import annotations

from datetime import datetime, time

import pytest

from multitrain.farm.farm import Habits
from multitrain.farm.hours import Hours
from multitrain.slots.cpu import CpuPool
from tests.farm.simulation import Outcome, Simulate, make_job


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("22:00-08:00", ["22:00", "23:59", "00:00", "07:59"], ["08:00", "12:00", "21:59"]),
        ("9-17", ["09:00", "16:59"], ["08:59", "17:00", "23:00"]),
        (" 18:30 - 24 ", ["18:30", "23:59"], ["00:00", "18:29"]),
    ],
)
def test_hours_of_a_day_and_of_a_night(text: str, inside: list[str], outside: list[str]) -> None:
    hours = Hours.parse(text)
    assert all(hours.include(time.fromisoformat(moment)) for moment in inside)
    assert not any(hours.include(time.fromisoformat(moment)) for moment in outside)
    assert Hours.parse(str(hours)) == hours


@pytest.mark.parametrize("text", ["", "night", "22:00", "25-3", "22:60-3", "8-8", "0-24", "-3-4"])
def test_what_names_no_hours_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="names no hours; write 22:00-08:00, say"):
        Hours.parse(text)


def test_outside_of_its_hours_jobs_wait_at_a_checkpoint(simulate: Simulate) -> None:
    simulation = simulate([make_job("a")], CpuPool(1))
    simulation.outcomes["a"] = [Outcome(seconds=1e6)]
    now = datetime(2026, 11, 29, 7, 59)
    simulation.farm = farm = simulation.make_farm()
    farm._habits, farm._clock = Habits(hours=Hours.parse("22:00-08:00")), lambda: now
    simulation.tick()
    assert simulation.states() == {"a": "running"}
    now = now.replace(hour=8)
    for _ in range(3):
        simulation.tick()
    assert simulation.states() == {"a": "queued"}
    assert simulation.started() == ["a"]
    why = "the farm trains 22:00-08:00 only (--hours); jobs wait until 22:00"
    assert farm.waiting_for() == {"the hours": why}
    assert not farm.finished
    now = now.replace(hour=22)
    simulation.run()
    assert simulation.states() == {"a": "done"}
    assert simulation.started() == ["a", "a"]


def test_what_a_farm_waits_for_and_until_when_is_said_at_once(simulate: Simulate) -> None:
    simulation = simulate([make_job("a")], CpuPool(1))
    simulation.outcomes["a"] = [Outcome(seconds=1e6), Outcome()]
    now = datetime(2026, 11, 29, 21, 59)
    simulation.farm = farm = simulation.make_farm()
    farm._habits, farm._clock = Habits(hours=Hours.parse("22:00-08:00")), lambda: now

    def said() -> list[str]:
        happened = [*simulation.tick(), *simulation.tick()]
        return [str(each) for each in happened if not each.job]

    waits = "the hours: the farm trains 22:00-08:00 only (--hours); jobs wait until 22:00"
    assert said() == [waits]
    now = now.replace(hour=22)
    assert said() == ["the hours: the farm trains again"]
    now = now.replace(hour=8)
    assert said() == [waits]


def test_a_farm_with_nothing_to_do_says_nothing_of_its_hours(simulate: Simulate) -> None:
    simulation = simulate([make_job("a")], CpuPool(1))
    simulation.run()
    simulation.farm._habits = Habits(stays=True, hours=Hours.parse("22:00-08:00"))
    simulation.farm._clock = lambda: datetime(2026, 11, 29, 12)
    assert simulation.tick() == []


def test_films_are_finished_at_any_hour(simulate: Simulate) -> None:
    simulation = simulate([make_job("a")], CpuPool(1))
    simulation.slow_films.add("a")
    while simulation.states() != {"a": "rendering"}:
        simulation.tick()
    farm = simulation.farm
    farm._habits = Habits(hours=Hours.parse("22:00-08:00"))
    farm._clock = lambda: datetime(2026, 11, 29, 12)
    simulation.slow_films.clear()
    simulation.run()
    assert simulation.states() == {"a": "done"}

"""Sheets with many jobs that come while a farm is at work: taken over several ticks, or not at all.

The stopwatch of these farms says at each look that the time for reading is over.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import count

import pytest

from jobs.workspace import requests
from jobs.workspace.jobfile import JobFile
from jobs.workspace.requests import READ_AT_ONCE
from multitrain.farm.farm import Farm, Habits
from multitrain.farm.submission import submit, unfinished
from tests.farm.simulation import make_job
from tests.farm.steered import Steered

JOBS = 3 * READ_AT_ONCE + 7
MOST_TICKS = 20  # until they are all in


def hurry(farm: Farm) -> None:
    """A tick reads as little of a request as it can."""
    farm._steering._stopwatch = map(float, count()).__next__


@pytest.fixture
def large(steer) -> Callable[..., Steered]:
    """`large(*names)`: a farm at work on these jobs, to which a large sheet was sent."""

    def begin(*names: str) -> Steered:
        farm = steer(*names)
        hurry(farm.simulation.farm)
        farm.simulation.jobs += (jobs := [make_job(f"many{n:03d}") for n in range(JOBS)])
        farm.send("submit", jobs=tuple(jobs))
        return farm

    return begin


def die(*_: object) -> None:
    raise KeyboardInterrupt


def begin_anew(farm: Steered, jobs: list[JobFile]) -> None:
    """Another farm goes on with the jobs of before."""
    simulation = farm.simulation
    submit(simulation.workspace, simulation.store, jobs)
    simulation.jobs, every = jobs, simulation.jobs
    simulation.farm = simulation.make_farm()
    simulation.jobs = every
    hurry(simulation.farm)


def answered(farm: Steered) -> bool:
    return not requests.waiting(farm.simulation.workspace)


def test_no_tick_reads_many_jobs_and_all_are_taken_at_once(large) -> None:
    farm = large("a")
    ticks = 0
    while not answered(farm):
        farm.tick(1)
        ticks += 1
        assert len(farm.states()) == (1 + JOBS if answered(farm) else 1)
        assert farm.simulation.farm.is_busy == (not answered(farm)), "the loop does not rest"
        assert ticks < MOST_TICKS
    assert ticks > JOBS / READ_AT_ONCE
    assert set(farm.states().values()) == {"running", "queued"}
    assert [job.spec.name for job in farm.simulation.farm.files()][1:3] == ["many000", "many001"]


@pytest.mark.parametrize("moment", range(10))
def test_a_kill_at_any_moment_leaves_the_sheet_to_the_next_farm(
    large, moment: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    farm = large("a")
    with monkeypatch.context() as patched, suppress(KeyboardInterrupt):
        patched.setattr(requests, "answer", die)  # the last moment
        farm.tick(moment)
    assert not answered(farm)
    jobs, _ = unfinished(
        farm.simulation.workspace, farm.simulation.store, only_for_every_farm=False
    )
    assert len(jobs) in (1, 1 + JOBS), "all or nothing"
    begin_anew(farm, jobs)
    while not answered(farm):
        farm.tick(1)
    assert len(farm.states()) == len(farm.simulation.farm.files()) == 1 + JOBS


def test_a_farm_at_the_very_end_reads_on(large) -> None:
    farm = large("a")
    farm.simulation.farm._habits = Habits(on_night_done="true")
    notices = []
    farm.simulation.farm._notices.begin = notices.append
    farm.simulation.trainers[0].outcome.seconds = 0
    while not answered(farm):
        assert not farm.simulation.farm.finished
        farm.tick(1)
    assert farm.states()["a"] == "done", "long before the sheet was read"
    assert not notices, "the night was not over in between"
    assert farm.states()["many000"] == "running"


def test_orders_that_come_later_wait_for_the_sheet(large) -> None:
    farm = large("a")
    later = farm.send("pause", "many003", "a")
    while not answered(farm):
        farm.tick(1)
    answer = requests.read_answer(later)
    assert answer
    assert answer.done == ("many003 is paused", "a stops at a checkpoint and is paused")


def test_a_sheet_that_is_taken_back_while_it_is_read_changes_nothing(large) -> None:
    farm = large("a")
    farm.tick(2)
    (path,) = requests.waiting(farm.simulation.workspace)
    path.unlink()  # as a command that is stopped does
    farm.tick(MOST_TICKS)
    assert farm.states() == {"a": "running"}
    assert not farm.simulation.farm.is_busy


def test_a_mistake_in_the_last_row_is_one_of_the_sheet(large) -> None:
    farm = large("a")
    (path,) = requests.waiting(farm.simulation.workspace)
    path.write_text(path.read_text().replace(f'"many{JOBS - 1:03d}"', "[]"))
    farm.tick(MOST_TICKS)
    answer = requests.read_answer(path)
    assert answer
    assert answer == requests.NOT_UNDERSTOOD
    assert farm.states() == {"a": "running"}


def test_a_farm_that_drains_leaves_a_sheet_that_is_half_read(large) -> None:
    farm = large("a")
    farm.tick(2)
    farm.simulation.farm.drain()
    farm.tick(1)
    assert farm.simulation.farm.finished
    assert not answered(farm)


def test_of_many_jobs_only_the_first_are_told_one_by_one(large) -> None:
    farm = large("a")
    while not answered(farm):
        farm.tick(1)
    told = [str(event) for event in farm.simulation.events if "many" in str(event)]
    assert "many000: is queued" in told
    assert len(told) < JOBS / 2
    last = [str(event) for event in farm.simulation.events if "more jobs" in str(event)]
    assert last == ["137 more jobs are taken up"]

"""A farm learns how fast its jobs are, and tells how long the rest will take."""

from __future__ import annotations

import json

import pytest

from jobs.workspace.farm_state import STALE_SECONDS, read_farm_state
from multitrain.farm import publishing, time_left
from multitrain.farm.progress_reader import last_progress
from multitrain.forecasts.speeds import Cost, read_speeds
from multitrain.slots.cpu import CpuPool
from tests.farm.simulation import Outcome, Simulate, Simulation, make_job

START = 10  # seconds until a trainer's first frame
TOTAL = make_job("a").plan.frames_total  # a trainer makes two frames, a step, in each second
SECONDS = START + TOTAL / 2


@pytest.fixture
def night(simulate: Simulate, monkeypatch: pytest.MonkeyPatch) -> Simulation:
    monkeypatch.setattr(time_left, "LOOK_SHARE", 0)  # by a real clock, which is not turned by hand
    monkeypatch.setattr(publishing, "SHARE", 0)
    simulation = simulate([make_job(name) for name in ("a", "b", "c")], CpuPool(1))
    simulation.outcomes = {name: [Outcome(seconds=SECONDS)] for name in ("a", "b", "c")}
    return simulation


def go_on(night: Simulation, until: str = "", seconds: int = 10_000) -> None:
    """Until this job has started, or so many seconds have passed, or all is done."""
    for _ in range(seconds):
        if night.farm.finished or (until and until in night.started()):
            return
        night.tick()
        trainer = night.trainers[-1]
        frames = 2 * int(night.now - trainer.started - START)
        if 0 < frames <= TOTAL:
            trainer.make(frames)


def test_what_a_job_took_is_kept(night: Simulation) -> None:
    go_on(night, until="c")
    (speed,) = read_speeds(night.workspace.speeds)
    assert speed.cost == Cost.of(make_job("a"))
    assert speed.device == night.pool.model
    assert speed.step_seconds == pytest.approx(1.0)
    assert speed.start_seconds == pytest.approx(START, abs=2)


def test_walks_are_no_steps(night: Simulation) -> None:
    go_on(night, seconds=START + 60)
    for walked in range(1, 60):
        night.tick()
        line = {"time": night.now, "step": 25, "frame": 50, "walked": walked}
        with night.workspace.job("a").progress.open("a") as progress:
            progress.write(json.dumps(line) + "\n")
    night.farm.kill()
    go_on(night)
    (speed,) = read_speeds(night.workspace.speeds)
    assert speed.step_seconds == pytest.approx(1.0)


def test_waits_for_room_are_no_steps(night: Simulation) -> None:
    go_on(night, seconds=START + 20)
    before = last_progress(night.workspace.job("a").progress)
    assert before
    for _ in range(30):
        night.tick()
    line = {"time": night.now, "step": before.step + 1, "frame": before.frame + 2, "waited": 29.0}
    with night.workspace.job("a").progress.open("a") as progress:
        progress.write(json.dumps(line) + "\n")
    night.tick()
    night.farm.kill()
    go_on(night)
    (speed,) = read_speeds(night.workspace.speeds)
    assert speed.step_seconds == pytest.approx(1.0)


def test_a_farm_that_stops_before_the_film_keeps_what_it_learnt(night: Simulation) -> None:
    night.slow_films.add("a")
    go_on(night, until="b")
    assert read_speeds(night.workspace.speeds) == []
    night.farm.close()
    (speed,) = read_speeds(night.workspace.speeds)
    assert speed.step_seconds == pytest.approx(1.0)
    assert speed.finish_seconds is None


def test_a_night_is_told_from_its_first_frames_on(night: Simulation) -> None:
    night.tick()
    assert str(night.farm.time_left()) == ""
    go_on(night, seconds=START + 60)
    left = night.farm.time_left()
    (view,) = night.farm.views()
    assert view.left
    assert view.left.seconds == pytest.approx(SECONDS - 70, rel=0.1)
    assert left.unknown == 0  # the others cost the same
    assert left.whole.seconds == pytest.approx(3 * SECONDS - 70, rel=0.1)
    go_on(night, until="b")
    night.tick()
    assert night.farm.time_left().whole.seconds == pytest.approx(2 * SECONDS, rel=0.1)


def test_the_next_farm_knows_from_the_start(night: Simulation) -> None:
    go_on(night, until="b")
    night.farm.drain()
    go_on(night)
    next_night = night.make_farm()
    next_night.tick(night.now)
    assert next_night.time_left().whole.seconds > SECONDS


def test_others_are_told_while_it_is_news(night: Simulation) -> None:
    go_on(night, until="b")
    night.tick()
    told = read_farm_state(night.workspace)
    assert told
    assert told.night.seconds == pytest.approx(night.farm.time_left().whole.seconds, abs=0.01)
    assert told.jobs.keys() == {"b", "c"}
    assert read_farm_state(night.workspace, wall=lambda: 2e9 + STALE_SECONDS) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"time": 9e9}', '{"time": "x"}', "\0"])
def test_a_damaged_file_tells_nothing(night: Simulation, text: str) -> None:
    night.workspace.farm_state.write_text(text)
    assert read_farm_state(night.workspace) is None

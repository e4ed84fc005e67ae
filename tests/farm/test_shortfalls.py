"""NVENC that was asked for and cannot be had: told once, by what the render worker found out."""

from __future__ import annotations

import json

from jobs.workspace.paths import JobPaths
from multitrain.farm.events import Happening
from multitrain.slots.cpu import CpuPool
from tests.farm.simulation import Simulate, Simulation, make_job

REASON = "ffmpeg: No capable devices found"


def found(paths: JobPaths, encoder: str = "x264", reason: str = REASON) -> None:
    """As the render worker notes what it encodes with."""
    paths.run.mkdir(parents=True, exist_ok=True)
    paths.encoder.write_text(json.dumps({"encoder": encoder, "reason": reason, "left": []}))


def publish(paths: JobPaths, timecut: int) -> None:
    paths.workspace.renders.mkdir(exist_ok=True)
    paths.timecut(timecut).touch()


def told(simulation: Simulation) -> list[str]:
    return [str(event) for event in simulation.events if event.happening is Happening.FELL_SHORT]


def test_it_is_told_once_and_with_the_first_video(simulate: Simulate) -> None:
    simulation = simulate([make_job("a", encoder="nvenc")], CpuPool(1))
    paths = simulation.workspace.job("a")
    simulation.tick()
    found(paths)
    simulation.tick()
    assert told(simulation) == []
    for timecut in (1, 2):
        publish(paths, timecut)
        simulation.tick()
        assert told(simulation) == [f"a: x264 instead of NVENC: {REASON}"]
    simulation.run()
    assert len(told(simulation)) == 1
    assert simulation.states() == {"a": "done"}


def test_nvenc_that_fails_later_is_told_at_the_end(simulate: Simulate) -> None:
    simulation = simulate([make_job("a", encoder="nvenc")], CpuPool(1))
    paths = simulation.workspace.job("a")
    simulation.slow_films.add("a")
    simulation.tick()
    found(paths, "nvenc", "")
    publish(paths, 1)
    simulation.tick(60)
    assert told(simulation) == []
    found(paths)
    simulation.tick()
    paths.manifest.write_text("{}")
    simulation.run()
    kinds = [event.happening for event in simulation.events]
    assert kinds[-2:] == [Happening.FELL_SHORT, Happening.DONE]


def test_a_job_for_x264_falls_short_of_nothing(simulate: Simulate) -> None:
    simulation = simulate([make_job("a")], CpuPool(1))
    simulation.tick()
    found(simulation.workspace.job("a"))
    simulation.run()
    assert told(simulation) == []


def test_what_cannot_be_read_holds_nothing_up(simulate: Simulate) -> None:
    simulation = simulate([make_job("a", encoder="nvenc")], CpuPool(1))
    simulation.tick()
    simulation.workspace.job("a").encoder.write_text("[")
    simulation.run()
    assert told(simulation) == []
    assert simulation.states() == {"a": "done"}

"""What a farm lets be prepared, and when it has that ended."""

from __future__ import annotations

from jobs.errors import ExitCode
from multitrain.farm.active_job import STARTING_SECONDS
from multitrain.farm.ahead.ending import LINGER_SECONDS, Ending
from multitrain.slots.cpu import CpuPool
from tests.farm.simulation import Outcome, Recording, Simulate, make_job


def test_what_stands_before_the_farm(simulate: Simulate) -> None:
    simulation = simulate([make_job(name) for name in "abc"], CpuPool(1, [0]))
    preparation = Recording()
    simulation.farm = simulation.make_farm(preparation)
    simulation.tick()
    assert preparation.seen() == (["a"], ["b", "c"], False), "it is just starting"
    simulation.trainers[0].make(4)
    simulation.tick()
    assert preparation.seen() == (["a"], ["b", "c"], True)
    preparation.is_gone = True
    simulation.run()
    assert preparation.seen()[1] == []


def test_a_start_that_takes_very_long_is_not_waited_for(simulate: Simulate) -> None:
    simulation = simulate([make_job("a"), make_job("b")], CpuPool(1, [0]))
    simulation.outcomes["a"] = [Outcome(seconds=10 * STARTING_SECONDS)]
    preparation = Recording()
    simulation.farm = simulation.make_farm(preparation)
    simulation.tick(STARTING_SECONDS)
    simulation.tick()
    assert preparation.seen() == (["a"], ["b"], True)


def test_a_drain_ends_it_and_the_farm_is_finished_when_it_is_gone(simulate: Simulate) -> None:
    simulation = simulate([make_job("a"), make_job("b")], CpuPool(1, [0]))
    preparation = Recording()
    simulation.farm = simulation.make_farm(preparation)
    simulation.tick()
    simulation.farm.drain()
    assert preparation.ended
    for _ in range(3):
        simulation.tick()
    assert not simulation.farm.finished
    preparation.is_gone = True
    assert simulation.farm.finished
    assert simulation.farm.exit_code == ExitCode.DRAINED


def test_a_kill_ends_it_at_once(simulate: Simulate) -> None:
    simulation = simulate([make_job("a"), make_job("b")], CpuPool(1, [0]))
    preparation = Recording()
    simulation.farm = simulation.make_farm(preparation)
    simulation.tick()
    simulation.farm.kill()
    assert preparation.ended


class Immortal:
    def poll(self) -> None:
        return None


def test_a_process_that_cannot_be_ended_holds_up_nobody() -> None:
    ending = Ending()
    ending.add(Immortal(), 100.0)  # type: ignore[arg-type]
    assert not ending.is_over(100.0 + LINGER_SECONDS - 0.1)
    assert ending.is_over(100.0 + LINGER_SECONDS)

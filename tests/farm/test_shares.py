"""Owners take turns, as far as they want slots."""

from __future__ import annotations

from collections import Counter

from jobs.workspace import requests
from jobs.workspace.requests import Order, Request
from multitrain.slots.cpu import CpuPool
from tests.farm.simulation import Outcome, Simulate, Simulation, make_job


def started(simulation: Simulation) -> str:
    """The first letters of the jobs that have started, in their order."""
    return "".join(name[0] for name in simulation.started())


def of(owner: str, count: int, **cells: str) -> list:
    return [make_job(f"{owner}{n}", owner=owner, **cells) for n in range(count)]


def test_two_owners_take_turns_whoever_came_first(simulate: Simulate) -> None:
    simulation = simulate([*of("ann", 4), *of("bob", 2)], CpuPool(1))
    simulation.run()
    assert started(simulation) == "ababaa"


def test_free_slots_are_shared_at_once(simulate: Simulate) -> None:
    simulation = simulate([*of("ann", 4), *of("bob", 4)], CpuPool(4))
    simulation.tick()
    assert Counter(started(simulation)) == {"a": 2, "b": 2}


def test_it_is_time_that_is_shared(simulate: Simulate) -> None:
    simulation = simulate([*of("ann", 2), *of("bob", 8)], CpuPool(1))
    for name in ("ann0", "ann1"):
        simulation.outcomes[name] = [Outcome(seconds=30)]
    simulation.run()
    assert started(simulation)[:4] == "abbb"
    assert started(simulation)[4:6] in ("ab", "ba"), "after thirty seconds, or a little more"


def test_without_owners_the_sheet_rules(simulate: Simulate) -> None:
    jobs = [make_job("c"), make_job("a"), make_job("b")]
    simulation = simulate(jobs, CpuPool(1))
    simulation.run()
    assert started(simulation) == "cab"


def test_a_priority_comes_before_shares(simulate: Simulate) -> None:
    simulation = simulate([*of("ann", 2), *of("bob", 2, priority="1")], CpuPool(1))
    simulation.run()
    assert started(simulation) == "bbaa"


def test_nobody_saves_up_time(simulate: Simulate) -> None:
    simulation = simulate(of("ann", 9), CpuPool(1))
    while len(simulation.started()) < 5:
        simulation.tick()
    simulation.jobs += (late := of("bob", 4))
    requests.send(simulation.workspace, Request.new(Order.SUBMIT, jobs=late))
    simulation.run()
    order = started(simulation)
    assert "bb" not in order, order
    assert order.rstrip("a").count("b") == 4
    assert len(order.rstrip("a")) <= 5 + 8

"""Jobs that start from others wait for them, and for nobody else."""

from __future__ import annotations

import pytest

from jobs.errors import ExitCode
from multitrain.slots.cpu import CpuPool
from tests.farm.simulation import Outcome, Recording, Simulate, make_job


def failing() -> list[Outcome]:
    told = {"kind": "diverged", "reason": "NaN"}
    return [Outcome(code=1, frames=0, failure=told)]


def test_a_job_waits_for_its_origin_and_others_pass(simulate: Simulate) -> None:
    jobs = [make_job("a"), make_job("b", init_from="a"), make_job("c"), make_job("d")]
    simulation = simulate(jobs, CpuPool(2))
    simulation.outcomes["a"] = [Outcome(seconds=30)]
    simulation.tick()
    assert simulation.started() == ["a", "c"]
    assert simulation.states()["b"] == "queued"
    assert simulation.farm.waiting_for() == {"b": "starts from a, which is running"}
    simulation.run()
    assert simulation.started() == ["a", "c", "d", "b"]
    assert set(simulation.states().values()) == {"done"}


def test_it_begins_when_the_film_of_its_origin_is_there(simulate: Simulate) -> None:
    simulation = simulate([make_job("a"), make_job("b", init_from="a")], CpuPool(2))
    simulation.slow_films = {"a"}
    for _ in range(50):
        simulation.tick()
    assert simulation.states() == {"a": "rendering", "b": "queued"}
    simulation.slow_films.clear()
    simulation.run()
    assert simulation.states() == {"a": "done", "b": "done"}


def test_a_job_waits_for_the_one_that_enlarges_its_loops_until_that_has_ended(
    simulate: Simulate,
) -> None:
    """However it has: the loop may be given up, the film is not."""
    larger = make_job("b", loops="pingpong(frames=4,scale_with=a)")
    simulation = simulate([make_job("a"), larger], CpuPool(2))
    simulation.outcomes["a"] = failing()
    simulation.tick()
    assert simulation.started() == ["a"]
    assert simulation.farm.waiting_for() == {"b": "comes after a, which is running"}
    simulation.run()
    assert simulation.states() == {"a": "failed", "b": "done"}


def test_between_two_it_waits_for_both(simulate: Simulate) -> None:
    between = make_job("c", interpolate_a="a", interpolate_b="b")
    simulation = simulate([make_job("a"), make_job("b"), between], CpuPool(3))
    simulation.outcomes["b"] = [Outcome(seconds=60)]
    while simulation.states()["a"] != "done":
        simulation.tick()
    assert simulation.farm.waiting_for() == {"c": "starts from b, which is running"}
    simulation.run()
    assert simulation.states()["c"] == "done"


def test_when_the_origin_fails_so_do_all_that_stand_on_it(simulate: Simulate) -> None:
    jobs = [
        make_job("a"),
        make_job("b", init_from="a"),
        make_job("c", interpolate_a="good", interpolate_b="b"),
        make_job("good"),
    ]
    simulation = simulate(jobs, CpuPool(1))
    simulation.outcomes["a"] = failing()
    simulation.run()
    assert simulation.states() == {"a": "failed", "b": "failed", "c": "failed", "good": "done"}
    assert [row.error for row in simulation.farm.rows()[1:3]] == [
        "its origin a failed",
        "its origin b failed",
    ]
    assert simulation.started() == ["a", "good"]
    assert simulation.farm.exit_code == ExitCode.FAILED


def test_many_that_wait_are_told_in_one_line(simulate: Simulate) -> None:
    jobs = [make_job("a"), *(make_job(f"b{number}", init_from="a") for number in range(4))]
    simulation = simulate(jobs, CpuPool(2))
    simulation.tick()
    reason = "starts from a, which is running (3 more jobs wait like that)"
    assert simulation.farm.waiting_for() == {"b0": reason}


@pytest.mark.parametrize("kind", ["origin_unfit", "checkpoint_unfit"])
def test_what_does_not_fit_is_not_tried_again(simulate: Simulate, kind: str) -> None:
    simulation = simulate([make_job("b", init_from="trained before")], CpuPool(1))
    told = {"kind": kind, "reason": "generator/kernel is 3 there, not 4"}
    simulation.outcomes["b"] = [Outcome(code=1, frames=0, failure=told)]
    simulation.run()
    assert simulation.states() == {"b": "failed"}
    assert len(simulation.launches) == 1


def test_what_is_not_in_this_farm_is_not_waited_for(simulate: Simulate) -> None:
    jobs = [make_job("b", init_from="trained before"), make_job("c", init_from="runs/a/x.h5")]
    simulation = simulate(jobs, CpuPool(2))
    simulation.tick()
    assert simulation.started() == ["b", "c"]


def test_a_new_farm_tries_again_what_failed_for_its_origin(simulate: Simulate) -> None:
    jobs = [make_job("a"), make_job("b", init_from="a")]
    simulation = simulate(jobs, CpuPool(1))
    simulation.outcomes["a"] = failing()
    simulation.run()
    again = simulate(jobs, CpuPool(1))
    again.run()
    assert again.started() == ["a", "b"]
    assert again.farm.exit_code == ExitCode.DONE


def test_when_the_film_is_there_the_beginning_goes(simulate: Simulate) -> None:
    """Also where the render worker was killed before it had cleared up."""
    simulation = simulate([make_job("a")], CpuPool(1))
    beginning = simulation.workspace.job("a").beginning
    beginning.parent.mkdir(parents=True, exist_ok=True)
    beginning.touch()
    simulation.run()
    assert simulation.states() == {"a": "done"}
    assert not beginning.exists()


def test_what_waits_is_prepared_last(simulate: Simulate) -> None:
    jobs = [make_job("a"), make_job("b", init_from="a"), make_job("c"), make_job("d")]
    simulation = simulate(jobs, CpuPool(1))
    preparation = Recording()
    simulation.farm = simulation.make_farm(preparation)
    simulation.tick()
    assert preparation.seen()[:2] == (["a"], ["c", "d", "b"])
    preparation.is_gone = True
    simulation.run()

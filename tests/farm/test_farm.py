"""Scheduling in virtual time: no GPU, no process, no second of waiting."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from jobs.errors import ExitCode, UsageError
from jobs.workspace.paths import Workspace
from multitrain.farm import watching
from multitrain.farm.events import Happening
from multitrain.farm.farm import check_slots
from multitrain.farm.placement import UNFINISHED_PER_SLOT
from multitrain.slots.cpu import CpuPool
from multitrain.slots.gpus import GpuPool
from tests.farm.simulation import FakeDriver, Outcome, Simulate, make_gpus, make_job


def test_all_jobs_end_with_their_films(simulate: Simulate) -> None:
    simulation = simulate([make_job("a"), make_job("b")], CpuPool(1))
    simulation.run()
    assert simulation.states() == {"a": "done", "b": "done"}
    assert simulation.farm.exit_code == ExitCode.DONE


def test_the_third_job_starts_as_soon_as_a_slot_frees(simulate: Simulate) -> None:
    jobs = [make_job("a"), make_job("b"), make_job("c")]
    simulation = simulate(jobs, CpuPool(2))
    simulation.outcomes = {"a": [Outcome(seconds=100)], "b": [Outcome(seconds=20)]}
    simulation.tick()
    assert simulation.started() == ["a", "b"]
    while "c" not in simulation.started():
        simulation.tick()
    assert simulation.now <= 1022
    assert simulation.states()["a"] == "running"


def test_ten_jobs_on_four_gpus_never_share_one(simulate: Simulate, gpu_pool: GpuPool) -> None:
    simulation = simulate([make_job(f"job{i}") for i in range(10)], gpu_pool)
    held: dict[str, str] = {}
    while not simulation.farm.finished:
        simulation.tick()
        running = [row for row in simulation.store.jobs() if row.state == "running"]
        assert len({row.slot for row in running}) == len(running) <= 4
        held |= {row.name: row.slot for row in running}
    assert len(held) == 10
    seen = [launch.environment["CUDA_VISIBLE_DEVICES"] for launch in simulation.launches]
    assert set(seen) == {gpu.uuid for gpu in make_gpus(4)}


def test_a_job_for_two_gpus_gets_two_and_does_not_starve(
    simulate: Simulate, gpu_pool: GpuPool
) -> None:
    jobs = [make_job("one"), make_job("four", gpus="4"), make_job("two", gpus="2")]
    simulation = simulate(jobs, gpu_pool)
    simulation.run()
    assert simulation.started() == ["one", "four", "two"]
    visible = simulation.launches[1].environment["CUDA_VISIBLE_DEVICES"].split(",")
    assert len(set(visible)) == 4


def test_more_gpus_than_there_are_is_refused(gpu_pool: GpuPool) -> None:
    with pytest.raises(UsageError, match=r"pool, by greedy \(5\)"):
        check_slots([make_job("greedy", gpus="5")], gpu_pool)


def test_a_gpu_in_use_by_somebody_else_is_left_alone(
    simulate: Simulate, driver: FakeDriver, gpu_pool: GpuPool
) -> None:
    driver.devices[0] = dataclasses.replace(driver.devices[0], processes=(4711,))
    driver.devices[1] = dataclasses.replace(driver.devices[1], memory_free=2**30)
    simulation = simulate([make_job(f"job{i}") for i in range(4)], gpu_pool)
    simulation.tick()
    running = {row.slot for row in simulation.store.jobs() if row.state == "running"}
    assert running == {"gpu 2", "gpu 3"}
    reasons = simulation.farm.waiting_for()
    assert "4711" in reasons["gpu 0"]
    assert "1.0 GiB" in reasons["gpu 1"]


def test_a_slot_is_free_again_when_the_memory_is_back(
    simulate: Simulate, workspace: Workspace, driver: FakeDriver
) -> None:
    pool = GpuPool(driver, driver.gpus()[:1], workspace.root / "leases")
    simulation = simulate([make_job("a"), make_job("b")], pool)
    simulation.tick()
    driver.devices[0] = dataclasses.replace(driver.devices[0], memory_free=13 * 2**30)
    for _ in range(20):
        simulation.tick()
    assert simulation.started() == ["a"]
    driver.devices[0] = dataclasses.replace(driver.devices[0], memory_free=23 * 2**30)
    simulation.run()
    assert simulation.started() == ["a", "b"]


def test_a_failing_job_is_retried_then_failed_and_the_others_go_on(
    simulate: Simulate, workspace: Workspace
) -> None:
    simulation = simulate([make_job("bad"), make_job("good")], CpuPool(1))
    told = {"kind": "error", "reason": "the kernel\nis unwell"}
    simulation.outcomes["bad"] = [Outcome(code=1, frames=0, failure=told) for _ in range(9)]
    simulation.run()
    assert simulation.started() == ["bad", "bad", "good", "bad"]  # the third one after a pause
    assert simulation.states() == {"bad": "failed", "good": "done"}
    row = simulation.store.job("bad")
    assert row is not None
    assert row.attempts == 3
    assert row.error.startswith("the kernel is unwell (log: ")
    assert str(workspace.job("bad").log) in row.error
    assert simulation.farm.exit_code == ExitCode.FAILED


def test_an_old_failure_is_not_blamed_for_a_new_one(simulate: Simulate) -> None:
    simulation = simulate([make_job("a", retries="1")], CpuPool(1))
    told = {"kind": "out_of_memory", "reason": "too large"}
    simulation.outcomes["a"] = [
        Outcome(code=1, frames=0, failure=told),
        Outcome(code=-9, frames=0),
    ]
    simulation.run()
    row = simulation.store.job("a")
    assert row is not None
    assert row.error.startswith("the trainer was killed")


def test_divergence_is_final(simulate: Simulate) -> None:
    simulation = simulate([make_job("a")], CpuPool(1))
    told = {"kind": "diverged", "reason": "NaN at step 3"}
    simulation.outcomes["a"] = [Outcome(code=1, failure=told)]
    simulation.run()
    assert simulation.started() == ["a"]
    assert simulation.states() == {"a": "failed"}


def test_ending_with_zero_but_too_few_frames_is_a_failure(simulate: Simulate) -> None:
    simulation = simulate([make_job("a", retries="0")], CpuPool(1))
    simulation.outcomes["a"] = [Outcome(code=0, frames=10)]
    simulation.run()
    row = simulation.store.job("a")
    assert row is not None
    assert (row.state, row.frames_done) == ("failed", 10)
    assert "before all frames" in row.error


def test_draining_stops_placing_and_the_next_farm_goes_on(simulate: Simulate) -> None:
    simulation = simulate([make_job("a"), make_job("b")], CpuPool(1))
    simulation.tick()
    simulation.farm.drain()
    simulation.run()
    assert simulation.states() == {"a": "queued", "b": "queued"}
    assert simulation.farm.exit_code == ExitCode.DRAINED
    row = simulation.store.job("a")
    assert row is not None
    assert row.attempts == 0

    simulation.farm = simulation.make_farm()
    simulation.run()
    assert simulation.farm.exit_code == ExitCode.DONE


def test_killing_ends_at_once_and_uses_up_no_try(simulate: Simulate) -> None:
    simulation = simulate([make_job("a")], CpuPool(1))
    simulation.tick()
    simulation.farm.kill()
    simulation.run(ticks=3)
    row = simulation.store.job("a")
    assert row is not None
    assert (row.state, row.attempts) == ("queued", 0)


def test_a_film_that_cannot_be_rendered_fails_its_job_even_while_it_trains(
    simulate: Simulate,
) -> None:
    simulation = simulate([make_job("a"), make_job("b")], CpuPool(2))
    simulation.outcomes = {"a": [Outcome(seconds=1e6)], "b": [Outcome(seconds=1)]}
    simulation.render_failures["a"] = {"kind": "render", "reason": "no encoder"}
    simulation.run()
    assert simulation.states() == {"a": "failed", "b": "done"}
    assert simulation.started().count("a") == 1


def test_jobs_wait_while_the_spool_is_full_of_those_that_have_trained(
    simulate: Simulate, workspace: Workspace
) -> None:
    simulation = simulate([make_job("a"), make_job("b")], CpuPool(1))
    simulation.slow_films.add("a")
    spool = workspace.job("a").spool
    spool.mkdir(parents=True)
    (spool / "000000000-000000240.rgb").write_bytes(b"more than the one byte of the budget")
    for _ in range(50):
        simulation.tick()
    assert simulation.started() == ["a"]
    assert "full" in simulation.farm.waiting_for()["the spool"]
    simulation.slow_films.clear()
    simulation.run()
    assert simulation.states() == {"a": "done", "b": "done"}


def test_films_are_finished_before_many_more_jobs_start(simulate: Simulate) -> None:
    names = [f"job{number}" for number in range(2 * UNFINISHED_PER_SLOT)]
    simulation = simulate([make_job(name) for name in names], CpuPool(1))
    simulation.slow_films.update(names)
    for _ in range(400):
        simulation.tick()
    assert len(simulation.started()) == UNFINISHED_PER_SLOT
    assert simulation.farm.waiting_for()["the films"] == "8 are finished first"
    simulation.slow_films.clear()
    simulation.run()
    assert set(simulation.states().values()) == {"done"}


def test_a_job_whose_folder_cannot_be_made_leaves_the_others_alone(
    simulate: Simulate, workspace: Workspace
) -> None:
    simulation = simulate([make_job("a"), make_job("b")], CpuPool(1))
    workspace.job("a").run.touch()
    simulation.run()
    assert simulation.states() == {"a": "failed", "b": "done"}
    row = simulation.store.job("a")
    assert row is not None
    assert "cannot be started" in row.error


def test_a_render_worker_that_dies_is_started_again_with_its_jobs(simulate: Simulate) -> None:
    simulation = simulate([make_job("a")], CpuPool(1))
    simulation.tick()
    simulation.workers[0].kill()
    simulation.run()
    assert simulation.states() == {"a": "done"}
    assert len(simulation.workers) == 2
    assert simulation.workers[1].jobs == ["a"]


def test_a_render_worker_that_dies_again_and_again_fails_the_jobs(simulate: Simulate) -> None:
    simulation = simulate([make_job("a")], CpuPool(1))
    simulation.outcomes["a"] = [Outcome(seconds=1e6)]
    for _ in range(500):
        simulation.tick()
        if simulation.workers:
            simulation.workers[-1].kill()
        if simulation.farm.finished:
            break
    row = simulation.store.job("a")
    assert row is not None
    assert row.state == "failed"
    assert "render worker ended 6 times" in row.error


def test_what_happens_is_told_in_order(simulate: Simulate) -> None:
    simulation = simulate([make_job("a")], CpuPool(1))
    simulation.run()
    happenings = [event.happening for event in simulation.events]
    assert happenings[:2] == [Happening.STARTED, Happening.TRAINED]
    assert set(happenings[2:]) == {Happening.PUBLISHED, Happening.DONE}


def test_a_film_that_is_there_is_not_said_to_be_being_finished(simulate: Simulate) -> None:
    simulation = simulate([make_job("a")], CpuPool(1))
    simulation.slow_films = {"a"}  # what is made of the film is not there yet
    simulation.tick()
    film = simulation.workspace.job("a").film()
    film.parent.mkdir(exist_ok=True)
    film.touch()
    while simulation.states()["a"] == "running":
        simulation.tick()
    happenings = [event.happening for event in simulation.events]
    assert happenings == [Happening.STARTED, Happening.PUBLISHED]


def test_many_jobs_cost_no_more_per_tick(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tick asks the running jobs, not the queue: ten times the sheet, as many reads a tick."""

    def reads_per_tick(count: int) -> float:
        simulation = simulate([make_job(f"{count}-{i}") for i in range(count)], CpuPool(5))
        reads, ticks = 0, 0
        read = watching.last_progress

        def counting(path: Path) -> object:
            nonlocal reads
            reads += 1
            return read(path)

        with monkeypatch.context() as patch:
            patch.setattr(watching, "last_progress", counting)
            while not simulation.farm.finished:
                simulation.tick()
                ticks += 1
        assert all(simulation.states()[f"{count}-{i}"] == "done" for i in range(count))
        return reads / ticks

    assert reads_per_tick(100) < 1.5 * reads_per_tick(10)

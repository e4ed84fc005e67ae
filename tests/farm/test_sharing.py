"""A farm whose jobs share GPUs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from jobs.errors import UsageError
from multitrain.farm.farm import check_slots
from multitrain.farm.submission import submit
from multitrain.forecasts.speeds import read_speeds
from multitrain.slots.gpus import GpuPool
from tests.farm.simulation import FIRST_PID, GIB, FakeDriver, Outcome, Simulate, make_job


def test_where_memory_runs_out_fewer_share_the_gpu(
    simulate: Simulate, driver: FakeDriver, tmp_path: Path
) -> None:
    failure = {"kind": "out_of_memory", "reason": "memory ran out"}
    pool = GpuPool(driver, driver.gpus()[:1], tmp_path / "leases", per_gpu=3)
    simulation = simulate([make_job(name) for name in "abc"], pool)
    for name in "abc":
        simulation.outcomes[name] = [Outcome(seconds=400)]
    simulation.outcomes["c"].insert(0, Outcome(code=1, seconds=5, frames=10, failure=failure))
    while len(simulation.started()) < 3:
        simulation.tick()
    assert [name for name, state in simulation.states().items() if state == "running"] == [*"abc"]
    for _ in range(60):
        simulation.tick()
    assert simulation.states() == {"a": "running", "b": "running", "c": "queued"}
    assert "memory ran out there: 2 at once" in simulation.farm.waiting_for()["gpu 0/3"]
    row = simulation.store.jobs()[2]
    assert row.attempts == 0, "it was not the job's fault"
    simulation.run()
    assert set(simulation.states().values()) == {"done"}


def test_a_job_starts_where_the_memory_that_it_asks_for_is_free(
    simulate: Simulate, driver: FakeDriver, tmp_path: Path
) -> None:
    driver.devices[0] = replace(driver.devices[0], memory_free=16 * GIB)
    pool = GpuPool(driver, driver.gpus()[:2], tmp_path / "leases")
    jobs = [make_job("huge", memory_gb="100"), make_job("large", memory_gb="20"), make_job("a")]
    simulation = simulate(jobs, pool)
    simulation.tick()
    assert [
        (each.call.job, each.environment["CUDA_VISIBLE_DEVICES"]) for each in simulation.launches
    ] == [
        ("large", "GPU-0001"),
        ("a", "GPU-0000"),
    ]
    assert simulation.farm.waiting_for()["huge"] == (
        "needs 100 GB of a GPU (memory_gb); 23.0 are free"
    )


def test_what_others_keep_of_a_gpu_holds_up_nobody(
    simulate: Simulate, driver: FakeDriver, tmp_path: Path
) -> None:
    pool = GpuPool(driver, driver.gpus()[:1], tmp_path / "leases")
    simulation = simulate([make_job("large", memory_gb="23.5"), make_job("a")], pool)
    simulation.tick()
    assert simulation.started() == ["a"]


def test_what_an_earlier_job_needed_says_whether_one_more_fits(
    simulate: Simulate, driver: FakeDriver, tmp_path: Path
) -> None:
    """The first has 13 of 24 GiB; one like it waits for it, another one comes beside it."""

    def make_pool() -> GpuPool:
        return GpuPool(driver, driver.gpus()[:1], tmp_path / "leases", lambda _: True, per_gpu=3)

    first = [make_job("a")]
    simulation = simulate(first, make_pool())
    simulation.outcomes["a"] = [Outcome(seconds=20)]
    simulation.tick()
    use(driver, {FIRST_PID: 13 * GIB, 77: 2 * GIB})
    for _ in range(3):
        simulation.tick()
    simulation.trainers[0].make(50)
    for _ in range(5):
        simulation.tick()
    simulation.trainers[0].make(100)
    use(driver, {FIRST_PID: 1 * GIB})
    simulation.run()
    simulation.farm.close()
    (speed,) = read_speeds(simulation.workspace.speeds)
    assert speed.memory == 13 * GIB, "the most that was seen, and of its trainer alone"

    use(driver, {})
    simulation.jobs = [make_job("b"), make_job("c"), make_job("d", grid_width="1")]
    submit(simulation.workspace, simulation.store, simulation.jobs)
    simulation.pool = make_pool()
    simulation.farm = simulation.make_farm()
    for name in "bcd":
        simulation.outcomes[name] = [Outcome(seconds=300)]
    simulation.tick()
    use(driver, {FIRST_PID + 1: 13 * GIB})
    for _ in range(100):
        simulation.tick()
    assert simulation.started() == ["a", "b"], "half of a third of the GPU would be free"
    assert simulation.farm.waiting_for()["c"] == (
        "needs 14.3 GB of a GPU, as an earlier job like it did; 11.0 are free beside others"
    )
    use(driver, {})
    simulation.run()
    assert set(simulation.states().values()) == {"done"}


def use(driver: FakeDriver, memory: dict[int, int]) -> None:
    """Let these processes, by pid, have so many bytes of the first GPU."""
    driver.devices[0] = replace(
        driver.devices[0],
        memory_free=24 * GIB - sum(memory.values()),
        processes=tuple(memory),
        memory_by_process=tuple(memory.items()),
    )


def test_more_memory_than_there_is_is_refused(driver: FakeDriver, tmp_path: Path) -> None:
    pool = GpuPool(driver, driver.gpus(), tmp_path / "leases")
    with pytest.raises(UsageError, match=r"the 24.0 of the largest GPU here, by huge \(25\)"):
        check_slots([make_job("a", memory_gb="24"), make_job("huge", memory_gb="25")], pool)

"""A farm whose jobs share GPUs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from jobs.errors import UsageError
from multitrain.farm.farm import check_slots
from multitrain.slots.gpus import GpuPool
from tests.farm.simulation import GIB, FakeDriver, Outcome, Simulate, make_job


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


def test_more_memory_than_there_is_is_refused(driver: FakeDriver, tmp_path: Path) -> None:
    pool = GpuPool(driver, driver.gpus(), tmp_path / "leases")
    with pytest.raises(UsageError, match=r"the 24.0 of the largest GPU here, by huge \(25\)"):
        check_slots([make_job("a", memory_gb="24"), make_job("huge", memory_gb="25")], pool)

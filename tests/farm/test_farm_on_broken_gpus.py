"""GPUs that are lost or broken, in virtual time."""

from __future__ import annotations

from jobs.workspace.paths import Workspace
from multitrain.slots.gpus import GpuPool
from tests.farm.simulation import FakeDriver, Outcome, Simulate, make_job


def test_a_job_that_wants_more_gpus_than_are_left_lets_the_others_pass(
    simulate: Simulate, driver: FakeDriver, workspace: Workspace
) -> None:
    pool = GpuPool(driver, driver.gpus()[:2], workspace.root / "leases")
    driver.devices = driver.devices[:1]
    simulation = simulate([make_job("two", gpus="2"), make_job("one")], pool)
    while simulation.states()["one"] != "done":
        simulation.tick()
    assert simulation.states()["two"] == "queued"
    assert simulation.farm.waiting_for()["two"] == "needs 2 slots, and 1 are left"


def test_a_job_that_breaks_every_gpu_uses_up_its_tries(
    simulate: Simulate, driver: FakeDriver, workspace: Workspace
) -> None:
    pool = GpuPool(driver, driver.gpus()[:2], workspace.root / "leases")
    simulation = simulate([make_job("long"), make_job("bad", retries="1"), make_job("next")], pool)
    simulation.outcomes["long"] = [Outcome(seconds=8 * 3600)]
    told = {"kind": "device", "reason": "CUDA_ERROR_ILLEGAL_ADDRESS"}
    simulation.outcomes["bad"] = [Outcome(code=1, frames=0, failure=told) for _ in range(50)]
    simulation.run(ticks=30_000)
    assert simulation.states() == {"long": "done", "bad": "failed", "next": "done"}
    assert simulation.started().count("bad") <= 4


def test_a_lost_gpu_sends_its_job_elsewhere(
    simulate: Simulate, driver: FakeDriver, gpu_pool: GpuPool
) -> None:
    simulation = simulate([make_job("a", retries="0")], gpu_pool)
    simulation.outcomes["a"] = [Outcome(seconds=1e9)]
    simulation.tick()
    lost = simulation.launches[0].environment["CUDA_VISIBLE_DEVICES"]
    driver.devices = [gpu for gpu in driver.devices if gpu.uuid != lost]
    simulation.run()
    assert simulation.trainers[0].signalled == -9
    assert simulation.states() == {"a": "done"}
    assert simulation.launches[1].environment["CUDA_VISIBLE_DEVICES"] != lost


def test_a_broken_gpu_is_left_to_last_and_its_job_goes_elsewhere(
    simulate: Simulate, gpu_pool: GpuPool
) -> None:
    simulation = simulate([make_job("a", retries="0"), make_job("b", gpus="4")], gpu_pool)
    told = {"kind": "device", "reason": "an uncorrectable error of its memory"}
    simulation.outcomes["a"] = [Outcome(code=1, seconds=1, frames=0, failure=told)]
    for _ in range(5):
        simulation.tick()
    first, second = (launch.environment["CUDA_VISIBLE_DEVICES"] for launch in simulation.launches)
    assert first != second
    assert simulation.started() == ["a", "a"]


def test_the_same_fault_everywhere_ends_the_job(
    simulate: Simulate, driver: FakeDriver, workspace: Workspace
) -> None:
    pool = GpuPool(driver, driver.gpus()[:2], workspace.root / "leases")
    simulation = simulate([make_job("a", retries="1")], pool)
    told = {"kind": "device", "reason": "TensorFlow sees no GPU"}
    simulation.outcomes["a"] = [Outcome(code=1, frames=0, failure=told) for _ in range(20)]
    simulation.run()
    assert simulation.states() == {"a": "failed"}
    assert len(simulation.started()) < 6
